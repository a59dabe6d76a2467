# bash: lists, tables, strings, patterns, functions, here-documents, subshells and pipelines of the shell itself.

short=yes
zeal=400000

fibonacci() {
    if (($1 < 2)); then echo "$1"; else echo $(($(fibonacci $(($1 - 1))) + $(fibonacci $(($1 - 2))))); fi
}

commands() {
    local i word line words=() total=0
    declare -A count
    for ((i = 0; i < scale * 30000; i++)); do words+=("w$((i * 7919 % 5003))"); done
    for word in "${words[@]}"; do count[$word]=$((${count[$word]:-0} + 1)); done
    echo "${#words[@]} words, ${#count[@]} different, w42 ${count[w42]} times"
    for word in "${!count[@]}"; do echo "$word ${count[$word]}"; done | sort | md5sum
    for word in "${words[@]:0:scale * 5000}"; do
        line=${word/w/word-}
        line=${line^^}
        [[ $line =~ ^WORD-([0-9]+)$ ]] && total=$((total + BASH_REMATCH[1]))
    done
    echo "sum of numbers $total"
    while IFS=: read -r i word; do printf '%05d %-8q|' "$i" "$word"; done < <(printf '%s\n' {1..2000}:{a,'b c'}) | md5sum
    fibonacci 8
    for ((i = 0; i < scale * 20; i++)); do (words=() && exit $((i % 3))) || total=$((total + $?)); done
    cat <<-END
	here $((total)) and $(printf %s "${words[@]: -3}")
	END
    mapfile -t words < <(seq 1 $((scale * 10000)))
    echo "${#words[@]} lines, the last ${words[-1]}"
}
