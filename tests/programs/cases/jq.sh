# jq: 200,000 objects generated, grouped, sorted, changed, printed and read again.

packages=jq
zeal=80000

commands() {
    jq -n -c --argjson n $((scale * 25000)) 'range($n) | {id: ., name: "name-\(. * 7919 % 10007)", tags: [. % 3, . % 5],
        nested: {deep: {value: (. / 4)}}}' >objects
    md5sum objects
    jq -s 'length, (map(.nested.deep.value) | add), (group_by(.tags) | map(length))' objects
    jq -s -c 'sort_by(.name, -.id) | .[0:3], .[-3:]' objects
    jq -c 'select(.id % 1000 == 7) | .nested.deep.value += 1 | del(.tags) | [paths]' objects | md5sum
    jq -s 'reduce .[] as $o ({}; .[$o.name] = $o.id) | length, (to_entries | max_by(.value))' objects
    jq -s '[.[] | .name | ascii_upcase | sub("NAME-(?<d>[0-9]+)"; "<\(.d)>")] | unique | length' <(head -n $((scale * 2500)) objects)
    expect 5 jq -n '"planned" | error'
}
