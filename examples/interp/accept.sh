#!/usr/bin/env bash
# shellcheck disable=SC2046,SC2086
#
# The Scheme of this directory: passes its conformance tests at -O0 and -O2, with one interpreter and with four threads
# of one each, on both doors, and under zeal; runs the classic programs; and runs gcbench against the same interpreter
# on Debian's libgc, in turn, with medians of time and of peak memory. Fails when gcbench is less than 2 times faster by
# the clock or in processor time, and when the Scheme has grown to 2,500 lines.
#
# The twin in Rust passes the tests that both have, and runs the programs, with and without zeal.
#
#     accept.sh [--short] [size] [conform] [programs] [twin] [race]
#
# Without a group: all. --short does all of it but the programs at full size and the race, in less than 40 seconds.
set -euo pipefail
. "$(dirname "$0")/../../tests/stress/common.sh"

MODE=full
if [ "${1:-}" = --short ]; then
    MODE=short
    shift
    set -- "${@:-size conform programs twin}"
fi
WANTED=${*:-size conform programs twin race}
INTERP=$ROOT/examples/interp
OUT=$ROOT/target/interp
LINES_BELOW=2500
FASTER=2.0
ROUNDS=5
ZEAL=zeal=100:poison=1:verify=1
CHECKED=poison=1:verify=1
mkdir -p "$OUT"

build() {
    need gcc gcc
    build_doors
    flags="-std=c11 -g -pthread $WARNINGS -Werror -I$INTERP -I$ROOT/include"
    for level in O0 O2; do
        gcc $flags -$level -o "$OUT/interp.$level" "$INTERP"/*.c $(link_gleaner) -lm
    done
}

# judge TITLE FIGURE TEST: a row of a figure that holds when the test is not 0.
judge() {
    ROWS=$((ROWS + 1))
    if awk "BEGIN { exit !($3) }"; then
        printf 'ok    %-44s %s\n' "$1" "$2"
    else
        : >"$LOGS/out"
        : >"$LOGS/err"
        fail_row "$1" "$2: $3 does not hold"
    fi
}

# The lines of C that are neither blank nor only comment. on_libgc.h is the race's: no part of the Scheme.
size() {
    lines=$(find "$INTERP" -maxdepth 1 -name '*.[ch]' ! -name on_libgc.h -exec cat {} + | awk '{
        code = ""
        for (rest = $0; rest != ""; rest = substr(rest, mark + 2)) {
            mark = index(rest, inside ? "*/" : "/*")
            if (!inside)
                code = code (mark ? substr(rest, 1, mark - 1) : rest)
            if (!mark)
                break
            inside = !inside
        }
        lines += code ~ /[^[:space:]]/
    } END { print lines }')
    judge "lines of C, without blanks and comments" "$lines" "$lines < $LINES_BELOW"
}

# check TITLE SECONDS DIRECTORY EXPECTED COMMAND...: the command, run there, writes what is expected.
check() {
    title=$1
    limit=$2
    expected=$INTERP/$3/$4
    directory=$INTERP/$3
    shift 4
    row "$title" "$limit" env -C "$directory" "$@" || return 0
    cmp -s "$LOGS/out" "$expected" || fail_row "$title" "the output is not $expected"
}

# conformance LEVEL DOOR OPTIONS THREADS TEST...
conformance() {
    level=$1 door=$2 options=$3 threads=$4
    shift 4
    preload=
    [ "$door" = malloc ] && preload=$PRELOAD
    for test in "$@"; do
        check "$test -$level ${threads}t $door ${options%%:*}" 300 tests "$test.out" \
            env GLEANER_OPTIONS="$options" LD_PRELOAD="$preload" "$OUT/interp.$level" --threads "$threads" "$test.scm"
    done
}

# The limit of the heap is one for all threads; the deep recursions are too deep for a collection at every 100th object.
BOTH="syntax data control tables"
EVERY="$BOTH beyond coroutines collector ephemerons"
PROGRAMS="fib tak nqueens deriv destruct mandelbrot strings hash generator trees closures gcbench"

conform() {
    for level in O0 O2; do
        for door in gleaner malloc; do
            if [ "$MODE$level$door" = shortO0malloc ]; then continue; fi
            conformance $level $door "$CHECKED" 1 $EVERY
            conformance $level $door trace=0 1 deep
            conformance $level $door trace=0 4 $EVERY deep
            if [ "$door" = gleaner ]; then conformance $level $door trace=0 1 limit; fi
            if [ "$MODE" = full ] || [ $level = O2 ]; then conformance $level $door "$ZEAL" 1 $EVERY; fi
        done
        if [ "$MODE" = full ]; then conformance $level gleaner "$ZEAL" 4 $EVERY; fi
    done
}

programs() {
    for program in $PROGRAMS; do
        check "$program, small, zeal" 120 bench "$program.small.out" \
            env SMALL=1 GLEANER_OPTIONS="$ZEAL" "$OUT/interp.O2" "$program.scm"
        if [ "$MODE" = full ]; then
            for door in "" "$PRELOAD"; do
                check "$program${door:+, malloc}" 120 bench "$program.out" \
                    env LD_PRELOAD="$door" "$OUT/interp.O2" --threads 2 "$program.scm"
            done
        fi
    done
}

# The twin has no coroutines; a character of a text takes it a time that grows with the text; the loops of syntax.scm take
# long at a collection every 100 objects.
twin() {
    (cd "$ROOT" && cargo build --quiet --release --example scheme --target-dir target/doors)
    scheme=$ROOT/target/doors/release/examples/scheme
    for test in $BOTH; do
        check "$test, twin" 60 tests "$test.out" env GLEANER_OPTIONS="$CHECKED" "$scheme" "$test.scm"
        if [ "$MODE$test" = shortsyntax ]; then continue; fi
        check "$test, twin, zeal" 300 tests "$test.out" env GLEANER_OPTIONS="$ZEAL" "$scheme" "$test.scm"
    done
    for program in ${PROGRAMS/generator /}; do
        check "$program, twin, small, zeal" 120 bench "$program.small.out" \
            env SMALL=1 GLEANER_OPTIONS="$ZEAL" "$scheme" "$program.scm"
        if [ "$MODE$program" = "full${program#strings}" ]; then
            check "$program, twin" 300 bench "$program.out" "$scheme" "$program.scm"
        fi
    done
}

# ---- the race ------------------------------------------------------------------------------------------------------

# once NAME PROGRAM THREADS: appends its seconds by the clock, of processor time, and its peak in KiB to a file each.
once() {
    env -C "$INTERP/bench" /usr/bin/time -f '%e %U %S %M' -o "$LOGS/time" \
        "$OUT/interp.$1" --threads "$3" "$2.scm" >"$LOGS/out"
    cmp -s "$LOGS/out" "$INTERP/bench/$2.out" || { fail_row "$2 on $1" "the output is not what is expected"; finish; }
    awk '{ print $1 }' "$LOGS/time" >>"$LOGS/clock.$1"
    awk '{ print $2 + $3 }' "$LOGS/time" >>"$LOGS/processor.$1"
    awk '{ print $4 }' "$LOGS/time" >>"$LOGS/peak.$1"
}

median() { sort -n "$1" | awk '{ line[NR] = $1 } END { print line[int((NR + 1) / 2)] }'; }

# against PROGRAM THREADS ROUNDS: both in turn, and the medians.
against() {
    rm -f "$LOGS"/clock.* "$LOGS"/processor.* "$LOGS"/peak.*
    for _ in $(seq "$3"); do
        once gleaner "$1" "$2"
        once libgc "$1" "$2"
    done
    for name in gleaner libgc; do
        echo "$1, threads: $2, on $name: $(median "$LOGS/clock.$name") s by the clock," \
            "$(median "$LOGS/processor.$name") s of processor time, peak $(($(median "$LOGS/peak.$name") / 1024)) MiB"
    done
}

# times MEASURE: by how much gleaner was faster.
times() { awk -v a="$(median "$LOGS/$1.libgc")" -v b="$(median "$LOGS/$1.gleaner")" 'BEGIN { printf "%.2f", a / b }'; }

# Both measures count: the clock is the user's, but a machine with other work shows it at random.
race() {
    [ -e /usr/include/gc.h ] || apt-get install -y -qq libgc-dev >/dev/null
    [ -x /usr/bin/time ] || apt-get install -y -qq time >/dev/null
    gcc $flags -O2 -DON_LIBGC -o "$OUT/interp.libgc" "$INTERP"/*.c -lgc -lm
    ln -sf interp.O2 "$OUT/interp.gleaner"
    against gcbench 1 $ROUNDS
    judge "gcbench against libgc, by the clock" "$(times clock) times faster" "$(times clock) >= $FASTER"
    judge "gcbench against libgc, processor time" "$(times processor) times faster" "$(times processor) >= $FASTER"
    for also in "gcbench 4" "trees 1" "deriv 1" "fib 1"; do
        against $also 3
        echo "${also% *}, threads: ${also#* }: $(times clock) times faster by the clock, for information"
    done
}

build
for group in $WANTED; do
    $group
done
finish
