# mawk and gawk: associative arrays, splitting, regular expressions, formatted output, sorting in the language itself.

packages='mawk gawk'
variants=(mawk gawk)
short=yes
zeal=(500 200000)

prepare() {
    cat >program.awk <<'END'
function sift(a, low, n,   child, value) {
    value = a[low]
    while ((child = 2 * low) <= n) {
        if (child < n && a[child] < a[child + 1]) child++
        if (value >= a[child]) break
        a[low] = a[child]
        low = child
    }
    a[low] = value
}
BEGIN {
    n = scale * 75000
    seed = 42
    for (i = 1; i <= n; i++) {
        seed = (seed * 16807) % 2147483647
        key = sprintf("k%05d", seed % 20011)
        count[key]++
        text[key] = text[key] substr("abcdefghij", seed % 10 + 1, 1)
        heap[i] = seed % 1000003
    }
    for (i = int(n / 2); i >= 1; i--) sift(heap, i, n)
    for (i = n; i > 1; i--) { last = heap[1]; heap[1] = heap[i]; heap[i] = last; sift(heap, 1, i - 1) }
    for (i = 2; i <= n; i++) if (heap[i - 1] > heap[i]) print "not sorted at", i
    for (key in count) { keys++; if (length(text[key]) != count[key]) print "lost text of", key }
    print keys, heap[1], heap[n]
    for (i = 1; i <= scale * 40000; i++) {
        line = "field" i ",second " i % 17 ";third=" i * i
        parts = split(line, part, /[,;= ]/)
        gsub(/[0-9]+/, "<&>", line)
        total += parts + length(line)
        if (match(line, /third=<[0-9]+>/)) matched += RLENGTH
        if (i % 10 == 0) delete part
    }
    print total, matched
    while (("seq 1 1000" | getline line) > 0) sum += line
    close("seq 1 1000")
    printf "%d %.6f %s %c\n", sum, atan2(0, -1), toupper("done"), 65
    print "to stderr" | "cat 1>&2"
    exit 4
}
END
}

commands() {
    expect 4 "$1" -v scale="$scale" -f ../input/program.awk
}
