#!/usr/bin/env bash
# What the roots of a large process cost: the milliseconds of a collection with 50 libraries and 2 GiB of the program's own
# mappings, untouched, or touched and unchanged since, beside the same without them. Fails when the first take more than
# 20 ms longer, or the second, from the second collection on, more than 60.
set -euo pipefail
cd "$(dirname "$0")/../.."

OUT=target/preload-cost
LIBRARY=$PWD/target/doors/release/libgleaner_malloc.so
LIBRARIES=50
UNTOUCHED_MAX=20
UNCHANGED_MAX=60
mkdir -p "$OUT"
[ -e "$LIBRARY" ] || { echo "cost.sh: no library: $LIBRARY; build it with make doors" >&2; exit 2; }
command -v gcc >/dev/null || apt-get install -y -qq gcc >/dev/null

memory=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
if [ "$memory" -lt 3000 ]; then
    echo "cost.sh: 2 GiB are to be touched, and there are only $memory MiB" >&2
    exit 2
fi

gcc -O2 -Wall -Wextra -Werror -fno-builtin -o "$OUT/cost" tests/preload/cost.c -ldl
plugins=()
for number in $(seq $LIBRARIES); do
    plugins+=("$OUT/plugin$number.so")
    [ -e "${plugins[-1]}" ] || printf 'int data%s[3000] = {1};\nint bss%s[3000];\n' "$number" "$number" |
        gcc -O2 -shared -fPIC -x c -o "${plugins[-1]}" -
done

# once KIND PLUGIN...: the first collection's milliseconds and the median of the others.
once() { LD_PRELOAD=$LIBRARY "$OUT/cost" "$@"; }

failed=0
# judge KIND FIGURE LIMIT: against the same without the mapping and without the libraries.
judge() {
    local more
    more=$(awk -v a="$2" -v b="$base" 'BEGIN { printf "%.2f", a - b }')
    if awk -v m="$more" -v l="$3" 'BEGIN { exit m <= l }'; then
        echo "FALLS SHORT: $1: $more ms more, at most $3"
        failed=1
    else
        echo "HOLDS: $1: $more ms more, at most $3"
    fi
}

read -r first base < <(once none)
echo "no mapping, no libraries: $base ms a collection, the first $first"
read -r first untouched < <(once untouched "${plugins[@]}")
echo "2 GiB untouched, $LIBRARIES libraries: $untouched ms, the first $first"
read -r first unchanged < <(once unchanged "${plugins[@]}")
echo "2 GiB touched and unchanged, $LIBRARIES libraries: $unchanged ms, the first $first"
read -r first changed < <(once changed "${plugins[@]}")
echo "2 GiB, a page in a hundred changed each time: $changed ms, the first $first"
read -r first reread < <(GLEANER_OPTIONS=track=0 once unchanged "${plugins[@]}")
echo "2 GiB touched, read each time (track=0): $reread ms, the first $first"
judge "2 GiB untouched" "$untouched" $UNTOUCHED_MAX
judge "2 GiB unchanged" "$unchanged" $UNCHANGED_MAX
exit $failed
