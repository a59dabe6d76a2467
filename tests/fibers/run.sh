#!/usr/bin/env bash
# shellcheck disable=SC2046
#
# Fibers at scale, by a hand-written switch and by ucontext, and Boost.Context's: what each holds on its parked stack
# alone is there after collections, behind both doors; and what collecting them and switching costs.
#
#     run.sh [--short]
#
# Held against:
#     stacks four times as large cost what they cost before       at most 1.5 times
#     twice the used bytes cost up to twice the time              1.2 to 2.5 times
#     a switch by hand as a fiber, beside the bare switch         at most 12 ns more
#
# Full size: 100,000 fibers, 2 GB resident, a minute. --short: 20,000 fibers, half a minute, and times are only printed.
set -euo pipefail
. "$(dirname "$0")/../stress/common.sh"
OUT=$ROOT/target/fibers
FIBERS=$ROOT/tests/fibers
COUNT=100000
SWITCHES=10000000
SHORT=
[ "${1:-}" = --short ] && { SHORT=yes; COUNT=20000; SWITCHES=1000000; }
mkdir -p "$OUT"

build() {
    need gcc gcc
    need g++ g++
    dpkg -s libboost-context-dev >/dev/null 2>&1 || apt-get install -y -qq libboost-context-dev >/dev/null
    build_doors
    ln -sf "$DOORS/libgleaner_malloc.so" "$LIBRARIES/libgleaner_malloc.so.0"
    ln -sf "$DOORS/libgleaner_malloc.so" "$LIBRARIES/libgleaner_malloc.so"
    for door in gleaner gleaner_malloc; do
        link="-L$LIBRARIES -l$door -Wl,-rpath,$LIBRARIES"
        # shellcheck disable=SC2086
        {
            compile_c "many.$door" -O2 "$FIBERS/many.c" $link
            compile_cxx "boost.$door" -O2 "$FIBERS/boost.cc" $link -lboost_context
            compile_c "walk.$door" -O2 "$ROOT/tests/c/contract/fiber_walk.c" $link
        }
    done
    compile_c switches -O2 "$FIBERS/switches.c" $(link_gleaner)
}

# hold TITLE REFERENCE MEASURED LOW HIGH: the quotient of two figures lies between two bounds.
hold() {
    ROWS=$((ROWS + 1))
    if [ -n "$SHORT" ]; then
        printf '      %-44s %s -> %s\n' "$1" "$2" "$3"
        return
    fi
    if awk -v a="$2" -v b="$3" -v low="$4" -v high="$5" 'BEGIN { exit !(b >= a * low && b <= a * high) }'; then
        printf 'ok    %-44s %s -> %s\n' "$1" "$2" "$3"
    else
        : >"$LOGS/out"
        : >"$LOGS/err"
        fail_row "$1" "$2 -> $3: not $4 to $5 times as much"
    fi
}

# timed WAY STACK_BYTES FRAMES LIFE: runs a row with one marker, and leaves its time in MS.
timed() {
    row "$1, $2 bytes a stack, $3 frames, $4" 300 env GLEANER_OPTIONS=markers=1 "$OUT/many.gleaner" "$1" "$COUNT" "$2" "$3" "$4" || true
    MS=$(field collect_ms "$LOGS/out")
}

every_object_is_there() {
    for door in gleaner gleaner_malloc; do
        for way in hand ucontext; do
            for life in root object; do
                row "$COUNT fibers, $way, $life [$door]" 300 "$OUT/many.$door" "$way" "$COUNT" 16384 6 "$life" || true
            done
        done
        row "judged by a second marker [$door]" 300 \
            env GLEANER_OPTIONS=recheck=1:verify=1:poison=1:markers=2 "$OUT/many.$door" hand $((COUNT / 10)) 16384 6 object || true
        row "Boost.Context [$door]" 120 "$OUT/boost.$door" 1000 || true
        row "Boost.Context, zeal [$door]" 120 env GLEANER_OPTIONS=zeal=20:poison=1 "$OUT/boost.$door" 100 || true
        row "a random walk [$door]" 300 env STEPS=$((COUNT / 4)) "$OUT/walk.$door" || true
    done
}

time_follows_use() {
    timed hand 16384 6 root
    small=$MS
    timed hand 65536 6 root
    hold "four times larger stacks, ms" "$small" "$MS" 0 1.5
    timed hand 65536 6 object
    hold "the same as objects, ms" "$small" "$MS" 0 1.5
    timed hand 65536 24 root
    once=$MS
    timed hand 65536 48 root
    hold "twice the used bytes, ms" "$once" "$MS" 1.2 2.5
}

switches_cost() {
    row "a switch" 120 "$OUT/switches" "$SWITCHES" || return 0
    bare=$(field hand_ns "$LOGS/out")
    fiber=$(field hand_fiber_ns "$LOGS/out")
    hold "a switch by hand as a fiber, ns" "$(awk -v a="$bare" 'BEGIN { print a + 12 }')" "$fiber" 0 1
}

build
every_object_is_there
time_follows_use
switches_cost
finish
