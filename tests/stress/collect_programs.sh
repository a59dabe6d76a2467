#!/bin/sh
# shellcheck disable=SC2046
#
# Whole programs on the collected heap of gleaner.h: GCBench, binary trees, and a list of ten million nodes in order and
# in random order, at -O0 and -O2, with 1, 2, 4 and 8 threads.
#
#     full size plain, and with three markers and `verify` after each collection
#     smaller, with a collection every few allocations, poisoned free slots, two markers with mark stacks of 64 and 32
#     items, and another that must agree with them (zeal, poison, markers, mark_stack, recheck)
#     smaller, with a collection at each allocation and one marker
#
# Each checksum must equal that of the same program on malloc and free. --short takes less than a minute.
set -eu
. "$(dirname "$0")/common.sh"

MODE=full
[ "${1:-}" = --short ] && MODE=short
BENCHES=$ROOT/benches/c
ZEAL=zeal=100:poison=1:markers=2:mark_stack=64:verify=1:recheck=1
ZEAL_EACH=zeal=1:poison=1:markers=1:mark_stack=64:verify=1:recheck=1

build() {
    need gcc gcc
    build_doors
    for program in gcbench binary_trees list; do
        compile_c "$program.malloc" -O2 -DUSE_MALLOC "$BENCHES/$program.c"
        for level in O0 O2; do
            compile_c "$program.$level" "-$level" -DUSE_GLEANER "$BENCHES/$program.c" $(link_gleaner)
        done
    done
}

# reference PROGRAM ARGS...: the checksum on malloc and free, computed once.
reference() {
    file="$LOGS/reference $*"
    program=$1
    shift
    [ -s "$file" ] || "$OUT/$program.malloc" "$@" >"$file"
    field checksum "$file"
}

# check LEVEL OPTIONS PROGRAM ARGS...
check() {
    level=$1
    options=$2
    program=$3
    shift 3
    expected=$(reference "$program" "$@")
    title="$program -$level $* ${options%%:*}"
    row "$title" 600 env GLEANER_OPTIONS="$options" "$OUT/$program.$level" "$@" || return 0
    actual=$(field checksum "$LOGS/out")
    [ "$actual" = "$expected" ] || fail_row "$title" "checksum $actual, not $expected"
}

# check_sizes LEVEL OPTIONS THREADS STRETCH DEPTH NODES: all programs at one size.
check_sizes() {
    check "$1" "$2" gcbench --threads "$3" --stretch "$4" --walk 1
    check "$1" "$2" binary_trees --threads "$3" --depth "$5"
    check "$1" "$2" list --threads "$3" --order 0 --nodes "$6"
    check "$1" "$2" list --threads "$3" --order 1 --nodes "$6"
}

build
if [ "$MODE" = short ]; then
    check_sizes O2 trace=0 2 18 16 2000000
    check_sizes O2 verify=1:markers=3 8 14 12 300000
    for level in O0 O2; do
        check_sizes "$level" "$ZEAL" 1 9 8 20000
        check_sizes "$level" "$ZEAL" 4 8 8 20000
    done
    finish
    exit
fi
for threads in 1 2 4 8; do
    for level in O0 O2; do
        check_sizes "$level" trace=0 "$threads" 18 19 10000000
        check_sizes "$level" verify=1:markers=3 "$threads" 18 19 10000000
        check_sizes "$level" "$ZEAL" "$threads" 10 10 50000
        check_sizes "$level" "$ZEAL_EACH" "$threads" 7 5 2000
    done
done
finish
