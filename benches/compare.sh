#!/bin/sh
# Times the workloads of benches/c on gleaner beside bdwgc (with one marker thread and with two) and beside malloc and
# free of glibc, release builds, one source for all, in turn: A B C D, A B C D, ... One thing runs at a time.
#
#     compare.sh [--pairs N] [--workload NAME]...        N rounds, 5 without it; all workloads without a name
#
# Prints a table in Markdown: medians with minimum and maximum, the median of the ratios taken within a round, peak of
# the resident set, collections, the longest pause, and for lists the time of a full mark. A two-thread round whose
# CPU time stayed near its wall time lost a core to a neighbour: such rounds are counted in the last column.
#
# Environment: DOORS (built libraries; built first without it), OUT (programs, target/benches without it).
set -eu

ROOT=$(cd "$(dirname "$0")/.." && pwd)
OUT=${OUT:-$ROOT/target/benches}
PAIRS=5
WANTED=
COMMAND="benches/compare.sh $*"
while [ $# -gt 0 ]; do
    case $1 in
    --pairs) PAIRS=$2; shift 2 ;;
    --workload) WANTED="$WANTED $2"; shift 2 ;;
    *) echo "compare.sh: unknown argument $1: see the top of the script" >&2; exit 2 ;;
    esac
done
mkdir -p "$OUT"
RUNS=$(mktemp "${TMPDIR:-/tmp}/compare.XXXXXX")
trap 'rm -f "$RUNS"' EXIT

command -v gcc >/dev/null 2>&1 || apt-get install -y -qq gcc libc6-dev >/dev/null
[ -f /usr/include/gc.h ] || [ -f /usr/include/gc/gc.h ] || apt-get install -y -qq libgc-dev >/dev/null
if [ -z "${DOORS:-}" ]; then
    (cd "$ROOT" && cargo build --quiet --release --target-dir target/doors)
    DOORS=$ROOT/target/doors/release
fi
# A program asks for the library by its SONAME; that link is what an installation would lay down.
command -v readelf >/dev/null 2>&1 || apt-get install -y -qq binutils >/dev/null
LIBRARIES=$OUT/lib
mkdir -p "$LIBRARIES"
soname=$(readelf -d "$DOORS/libgleaner.so" | sed -n 's/.*SONAME.*\[\(.*\)\].*/\1/p')
ln -sf "$DOORS/libgleaner.so" "$LIBRARIES/libgleaner.so"
ln -sf "$DOORS/libgleaner.so" "$LIBRARIES/${soname:-libgleaner.so}"

for program in gcbench binary_trees list; do
    source=$ROOT/benches/c/$program.c
    gcc -std=gnu11 -O2 -pthread -DUSE_GLEANER -I"$ROOT/include" "$source" -o "$OUT/$program.gleaner" \
        -L"$LIBRARIES" -lgleaner -Wl,-rpath,"$LIBRARIES"
    gcc -std=gnu11 -O2 -pthread -DUSE_BDWGC "$source" -o "$OUT/$program.bdwgc" -lgc
    gcc -std=gnu11 -O2 -pthread -DUSE_MALLOC "$source" -o "$OUT/$program.malloc"
done

# run WORKLOAD ALLOCATOR COMMAND...: one line "WORKLOAD ALLOCATOR KEY=VALUE..." for the table.
run() {
    workload=$1
    allocator=$2
    shift 2
    line=$("$@") || { echo "compare.sh: $workload on $allocator failed: $*" >&2; exit 1; }
    echo "$workload $allocator ${line#*: }" >>"$RUNS"
}

# rounds WORKLOAD PROGRAM ARGS...
rounds() {
    workload=$1
    program=$2
    shift 2
    case " ${WANTED:-$workload} " in *" $workload "*) ;; *) return 0 ;; esac
    echo "compare.sh: $workload" >&2
    round=0
    while [ "$round" -lt "$PAIRS" ]; do
        run "$workload" gleaner "$OUT/$program.gleaner" "$@"
        run "$workload" bdwgc-1-marker env GC_MARKERS=1 "$OUT/$program.bdwgc" "$@"
        run "$workload" bdwgc-2-markers env GC_MARKERS=2 "$OUT/$program.bdwgc" "$@"
        run "$workload" glibc "$OUT/$program.malloc" "$@"
        round=$((round + 1))
    done
}

rounds gcbench-1-thread gcbench --threads 1
rounds gcbench-2-threads gcbench --threads 2
rounds gcbench-large gcbench --threads 1 --stretch 20 --array 2000000
rounds binary-trees-1-thread binary_trees --threads 1
rounds binary-trees-2-threads binary_trees --threads 2
rounds list-in-order list --order 0 --collections 3
rounds list-shuffled list --order 1 --collections 3

cat <<HEAD
Machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores, \
$(awk '/MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo), Linux $(uname -r)
Peers: bdwgc $(dpkg-query -W -f '${Version}' libgc-dev 2>/dev/null), glibc $(getconf GNU_LIBC_VERSION | cut -d ' ' -f 2)
Date: $(date -u +%Y-%m-%d). Command: \`$COMMAND\`. Rounds in turn: $PAIRS.

| workload | allocator | wall, s | gleaner / this | CPU, s | peak RSS, MB | collections | longest pause, ms \
| full mark, ms | lost a core |
|---|---|---|---|---|---|---|---|---|---|
HEAD

awk '
function sort(list, n,    i, j, t) {
    for (i = 2; i <= n; i++) {
        t = list[i]
        for (j = i - 1; j > 0 && list[j] > t; j--) list[j + 1] = list[j]
        list[j + 1] = t
    }
}
function median(list, n) { sort(list, n); return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2 }
function median_of(row, key,    i, list) {
    for (i = 1; i <= count[row]; i++) list[i] = value[row, i, key] + 0
    return median(list, count[row])
}
{
    row = $1 " " $2
    if (!(row in count)) { order[++rows] = row; workload[row] = $1; allocator[row] = $2 }
    i = ++count[row]
    for (f = 3; f <= NF; f++) { split($f, pair, "="); value[row, i, pair[1]] = pair[2] }
    sum = value[row, i, "checksum"]
    if (!($1 in checksum)) checksum[$1] = sum
    if (checksum[$1] != sum) {
        wrong = 1
        print "compare.sh: checksums of " $1 " differ: " sum " on " $2 > "/dev/stderr"
    }
}
END {
    for (r = 1; r <= rows; r++) {
        row = order[r]
        own = workload[row] " gleaner"
        lost = 0
        for (i = 1; i <= count[row]; i++) {
            wall[i] = value[row, i, "seconds"]
            ratio[i] = value[own, i, "seconds"] / wall[i]
            if (value[row, i, "threads"] > 1 && value[row, i, "cpu_seconds"] < 1.3 * wall[i]) lost++
        }
        middle = median(wall, count[row])
        collects = value[row, 1, "collections"] > 0
        pause = collects ? sprintf("%.1f", median_of(row, "pause_longest_us") / 1000) : ""
        full_mark = collects && (row, 1, "collect_seconds") in value \
            ? sprintf("%.0f", 1000 * median_of(row, "collect_seconds")) : ""
        printf "| %s | %s | %.2f (%.2f to %.2f) | %s | %.2f | %.0f | %d | %s | %s | %s |\n", workload[row],
            allocator[row], middle, wall[1], wall[count[row]],
            row == own ? "" : sprintf("%.2f", median(ratio, count[row])), median_of(row, "cpu_seconds"),
            median_of(row, "peak_rss_kb") * 1024 / 1e6, median_of(row, "collections"), pause, full_mark,
            lost ? lost " of " count[row] : ""
    }
    exit wrong
}' "$RUNS"
