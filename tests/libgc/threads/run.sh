#!/usr/bin/env bash
# Several threads that allocate at once, on our libgc.so.1 and on Debian's: the same program, in turn, at least 10 times faster.
#
#     tests/libgc/threads/run.sh [--short] [--pairs N] [WORK...]
#
# What WORK is, threads.c says; without it all of them, each with 2 threads and with 8. A pair is a run on Debian's library with
# as many markers as it takes by itself, another with one, of which the quicker counts, and a run on ours. A row's figure is the
# median over the pairs. Both libraries must come to the same checksum.
#
# On a shared machine threads may lose a processor to a neighbour: two that only count, before a pair and after it, say so, and the
# pair is taken again, up to three times as many as are wanted.
#
# `--short` is for a machine that others use: small amounts, with a check of the heap after each collection and again with a
# collection every few hundred allocations, the same checksums, and no verdict on time.
set -euo pipefail
cd "$(dirname "$0")/../../.."
. tests/common/packages.sh

goal=10
pairs=5
short=no
works=()
# About a second or more each on Debian's library.
declare -A amounts=([lists]=40000000 [sizes]=1000000 [uncollectable]=20000000 [freed]=20000000 [mixed]=2000000)

while (($#)); do
    case $1 in
    --short) short=yes ;;
    --pairs) pairs=${2:?--pairs needs a number} && shift ;;
    -h | --help) sed -n '2,/^set /{s/^# \{0,1\}//;/^set /d;p}' "$0" && exit ;;
    *) [[ -n ${amounts[$1]-} ]] || { echo "run.sh: no such work: $1; there are: ${!amounts[*]}" >&2 && exit 2; }
        works+=("$1") ;;
    esac
    shift
done
((${#works[@]})) || works=(lists sizes uncollectable freed mixed)

ours=$PWD/target/doors/release/libgc
theirs=/usr/lib/x86_64-linux-gnu
[[ -r $ours/libgc.so.1 ]] || { echo "run.sh: no $ours/libgc.so.1; build it with make" >&2 && exit 2; }
unset "${!GC_@}" GLEANER_OPTIONS LD_PRELOAD LD_LIBRARY_PATH
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
install_packages "$scratch/packages" gcc libc6-dev libgc1 libgc-dev
gcc -std=gnu11 -O2 -Wall -Wextra -Werror -I/usr/include/gc tests/libgc/threads/threads.c -o "$scratch/threads" -lgc -pthread

# run FOLDER WORK THREADS AMOUNT [NAME=VALUE]: what the program prints on the library of the folder.
run() {
    local folder=$1 work=$2 threads=$3 amount=$4 status=0
    shift 4
    env LD_LIBRARY_PATH="$folder" "$@" timeout 300 "$scratch/threads" "$work" "$threads" "$amount" 2>&1 || status=$?
    ((status == 0)) || echo "status $status (124 is the deadline of 300 s)"
}

# agree WHAT A B: whether two runs have come to the same checksum.
agree() {
    local checksum='^[0-9.]+ [0-9.]+ [0-9]+ [0-9]+ ([0-9a-f]{16})$' first
    if [[ $2 =~ $checksum ]]; then
        first=${BASH_REMATCH[1]}
        if [[ $3 =~ $checksum && ${BASH_REMATCH[1]} = "$first" ]]; then return 0; fi
    fi
    echo "FAILED: $1: on Debian's: $2; on ours: $3"
    return 1
}

# Whether two threads that only count have a processor each.
has_processors() { run "$theirs" nothing 2 100000000 | awk '{ exit !($2 >= 1.7 * $1) }'; }

# compare WORK THREADS: a row without a verdict on time.
compare() {
    local amount=$((amounts[$1] / 50)) debian mine options
    debian=$(run "$theirs" "$1" "$2" "$amount")
    for options in verify=1 zeal=300:verify=1; do
        [[ $options != zeal* ]] || { amount=40000 && debian=$(run "$theirs" "$1" "$2" "$amount"); }
        mine=$(run "$ours" "$1" "$2" "$amount" GLEANER_OPTIONS="$options")
        agree "$1, $2 threads, $options" "$debian" "$mine" || return 1
        printf '%-14s %7d  %-16s %11s  same\n' "$1" "$2" "$options" "$(cut -d' ' -f4 <<<"$mine")"
    done
}

# race WORK THREADS: a row with the figures of the pairs; falls short below the goal.
race() {
    local work=$1 threads=$2 amount=${amounts[$1]} pair=0 tries=0 default single mine
    : >"$scratch/pairs"
    while ((pair < pairs && tries < 3 * pairs)); do
        tries=$((tries + 1))
        has_processors || continue
        default=$(run "$theirs" "$work" "$threads" "$amount")
        mine=$(run "$ours" "$work" "$threads" "$amount")
        single=$(run "$theirs" "$work" "$threads" "$amount" GC_MARKERS=1)
        agree "$work, $threads threads" "$default" "$mine" && agree "$work, $threads threads" "$single" "$mine" || return 1
        has_processors || continue
        pair=$((pair + 1))
        printf '%s\n%s\n' "$default" "$single" | sort -n | head -n 1 | paste -d' ' - <(echo "$mine") >>"$scratch/pairs"
    done
    ((pair)) || { echo "FAILED: $work, $threads threads: two threads that count never had a processor each, in $tries looks" && return 1; }
    sort -n "$scratch/pairs" | awk -v work="$work" -v threads="$threads" -v goal="$goal" -v tries="$tries" '
        function middle(list, n,    i, j, x) {
            for (i = 2; i <= n; i++) { x = list[i]; for (j = i; j > 1 && list[j - 1] > x; j--) list[j] = list[j - 1]; list[j] = x }
            return (list[int((n + 1) / 2)] + list[int(n / 2) + 1]) / 2
        }
        { d[NR] = $1; o[NR] = $6; t[NR] = $1 / $6; dm[NR] = $3 / 1024; om[NR] = $8 / 1024; dc[NR] = $4; oc[NR] = $9 }
        END {
            n = NR; times = middle(t, n)
            printf "%-14s %7d %9.2f %9.3f %7.1f (%.1f to %.1f) %10d : %-6d %8.1f : %-6.1f %2d of %-2d  %s\n", work, threads, middle(d, n),
                middle(o, n), times, t[1], t[n], middle(dc, n), middle(oc, n), middle(dm, n), middle(om, n), n, tries,
                times >= goal ? "holds" : "FALLS SHORT of " goal
            exit times < goal
        }'
}

failures=0
if [[ $short = yes ]]; then
    printf '%-14s %7s  %-16s %11s\n' work threads options collections
else
    printf '%-14s %7s %9s %9s %7s %-14s %10s : %-6s %8s : %-6s %s\n' work threads "Debian s" "ours s" times "(pairs)" collections ours "RSS MiB" ours pairs
fi
for work in "${works[@]}"; do
    for threads in 2 8; do
        if [[ $short = yes ]]; then compare "$work" "$threads"; else race "$work" "$threads"; fi || failures=$((failures + 1))
    done
done
((failures == 0)) || { echo "$failures rows fall short" && exit 1; }
