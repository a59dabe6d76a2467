#!/bin/sh
# shellcheck disable=SC2016,SC2046,SC2086
#
# Programs under memcheck and AddressSanitizer: what is planted is reported, everything else is silent. Prints a row a
# run and ends with the names of those that failed.
#
#     run.sh [--short] [GROUP...]
#
#     planted       an overflow, uses after free, an uninitialised read, through both doors, under memcheck
#     contract      the programs of tests/c/contract are silent under memcheck; some again with the malloc door preloaded
#     programs      so are the random walk of tests/c/model and programs of the system under the preloaded door
#     sanitizer     unit tests and the random walk with an engine under AddressSanitizer
#
# Without a group: all. --short is for every change.
set -eu
OUT=${OUT:-$(cd "$(dirname "$0")/../.." && pwd)/target/tools}
. "$(dirname "$0")/../stress/common.sh"

TOOLS=$ROOT/tests/tools
CONTRACT=$ROOT/tests/c/contract
FOUND=99        # the exit status by which memcheck says that it has found something
MEMCHECK="valgrind -q --soname-synonyms=somalloc=nouserintercepts --error-exitcode=$FOUND"
SUPPRESSED="--suppressions=$ROOT/packaging/valgrind.supp"
SECONDS_MAX=900

MODE=full
GROUPS_WANTED=
for argument in "$@"; do
    case $argument in
    --short) MODE=short ;;
    planted | contract | programs | sanitizer) GROUPS_WANTED="$GROUPS_WANTED $argument" ;;
    *) echo "run.sh: unknown argument $argument: see the top of the script" >&2; exit 2 ;;
    esac
done
GROUPS_WANTED=${GROUPS_WANTED:-planted contract programs sanitizer}

# under DOOR COMMAND...: the command that runs under memcheck with a door: `gleaner`, which is linked, or `malloc`.
under() {
    door=$1
    shift
    case $door in
    gleaner) echo "$MEMCHECK $*" ;;
    malloc) echo "env LD_PRELOAD=$PRELOAD $MEMCHECK $*" ;;
    esac
}

# silent TITLE COMMAND...: ends with 0, and memcheck has said nothing, neither here nor in a child.
silent() {
    title=$1
    shift
    row "$title" $SECONDS_MAX "$@" || return 0
    if grep -q '^==' "$LOGS/err"; then fail_row "$title" "memcheck found something"; fi
}

# found TITLE KIND PLACE COMMAND...: memcheck names the kind of mistake, and the place if there is one to name.
found() {
    title=$1 kind=$2 place=$3
    shift 3
    ROWS=$((ROWS + 1))
    status=0
    timeout --signal=KILL 60 "$@" >"$LOGS/out" 2>"$LOGS/err" || status=$?
    if [ "$status" -ne $FOUND ]; then
        fail_row "$title" "exit status $status: memcheck has found nothing"
    elif ! grep -q "^==[0-9]*== *$kind" "$LOGS/err"; then
        fail_row "$title" "no \"$kind\""
    elif ! grep -q "$place" "$LOGS/err"; then
        fail_row "$title" "no \"$place\""
    else
        printf 'ok    %-44s %s\n' "$title" "$kind, $place"
    fi
}

planted() {
    compile_c planted.gleaner -O1 -fno-builtin "$TOOLS/planted.c" $(link_gleaner)
    compile_c planted.malloc -O1 -fno-builtin -DDOOR_MALLOC "$TOOLS/planted.c"
    for door in gleaner malloc; do
        program=$OUT/planted.$door
        silent "nothing planted [$door]" $(under $door $program none)
        found "overflow [$door]" "Invalid write of size 1" "0 bytes after a block of size 16 alloc'd" \
            $(under $door $program overflow)
        for name in use-after-free late-use-after-free; do
            found "$name [$door]" "Invalid read of size 1" "3 bytes inside a block of size 16 free'd" \
                $(under $door $program $name)
        done
        found "uninitialised read [$door]" "Conditional jump or move depends on uninitialised" "uninitialised (planted" \
            $(under $door $program uninitialised)
    done
    found "use after collection [gleaner]" "Invalid read of size 1" "a block of size 16 free'd" \
        $(under gleaner $OUT/planted.gleaner use-after-collection)
    compile_c ask -O1 "$TOOLS/ask.c" $(link_gleaner)
    found "asking about an unwritten word" "Conditional jump or move depends on uninitialised" "gc_base" $MEMCHECK "$OUT/ask"
    silent "asking about an unwritten word, suppressed" $MEMCHECK $SUPPRESSED "$OUT/ask"
}

# The room that memcheck needs behind an object lies in the object's slot. Where that is a program's subject it finds
# another figure, and says so; memcheck has to be silent all the same.
figure_of() {
    case $1 in
    fiber_steps) echo "by hand: only 0 steps" ;; # the simulated processor has no trap flag
    base_and_contains) echo "the address after 16 bytes is inside" ;;
    one_past_the_end) echo "the heap keeps 1000 of 1000" ;;
    statistics) echo "bytes allocated by 6,400,000" ;;
    esac
}

contract_program() {
    name=$1
    shift
    figure=$(figure_of $name)
    if [ -z "$figure" ]; then
        silent "$name" "$@"
        return
    fi
    ROWS=$((ROWS + 1))
    status=0
    timeout --signal=KILL $SECONDS_MAX "$@" >"$LOGS/out" 2>"$LOGS/err" || status=$?
    if [ "$status" -ne 1 ] || ! grep -q "$figure" "$LOGS/out"; then
        fail_row "$name" "exit status $status, and not one line about \"$figure\""
    elif grep -q '^==' "$LOGS/err"; then
        fail_row "$name" "memcheck found something"
    else
        printf 'ok    %-44s %s\n' "$name" "silent, with a figure of its own: $figure"
    fi
}

contract() {
    need g++ g++
    # What takes a minute each stays for the full run.
    quick="absurd_sizes dlopen_root ephemerons finalizers_ordered kinds memalign pins roots strings threads typed \
        thread_local_root uncollectable vector_register weak"
    for source in "$CONTRACT"/*.c "$CONTRACT"/*.cc; do
        file=${source##*/}
        name=${file%.*}
        case $file in *.plugin.c) continue ;; esac
        case " $quick " in *" $name "*) ;; *) [ "$MODE" = full ] || continue ;; esac
        case $file in
        *.cc) compile_cxx "$name" -O2 "$source" $(link_gleaner) -ldl ;;
        *) compile_c "$name" -O2 "$source" $(link_gleaner) -ldl ;;
        esac
        plugin=
        if [ -f "$CONTRACT/$name.plugin.c" ]; then
            plugin=$OUT/$name.so
            compile_c "$name.so" -shared -fPIC -O2 "$CONTRACT/$name.plugin.c"
        fi
        contract_program "$name" $MEMCHECK $SUPPRESSED "$OUT/$name" $plugin
        # Behind malloc every range is a root, registered or not.
        if [ "$name" = roots ]; then continue; fi
        case " $quick " in *" $name "*)
            silent "$name [malloc]" $(under malloc $SUPPRESSED "$OUT/$name" $plugin) ;;
        esac
    done
}

programs() {
    compile_c walk -O2 "$ROOT/tests/c/model/walk.c" "-L$DOORS" -lgleaner_malloc "-Wl,-rpath,$DOORS"
    steps=20000
    if [ "$MODE" = short ]; then steps=4000; fi
    for threads in 1 2; do
        for options in "" zeal=200:poison=1:verify=1:recheck=1 free=quarantine:verify=1:recheck=1; do
            silent "walk, $threads threads [$options]" \
                env GLEANER_OPTIONS=$options $MEMCHECK "$OUT/walk" 1 $steps $threads exact
        done
    done
    preloaded "awk" awk 'BEGIN { for (i = 0; i < 20000; i++) a[i] = i "x"; print length(a) }'
    preloaded "bash" bash -c 'for i in {1..2000}; do s="$s $(($i * 7))"; done; echo ${#s}'
    preloaded "sort" sort "$CONTRACT/check.h"
}

# preloaded TITLE COMMAND...: a program of the system under the malloc door, collected often.
preloaded() {
    title=$1
    shift
    silent "$title [malloc]" env LD_PRELOAD="$PRELOAD" GLEANER_OPTIONS=floor=256K $MEMCHECK "$@"
}

# A compiler of the stable channel has the sanitizer and only wants to be asked twice.
asan_cargo() {
    cfgs=$1
    shift
    (cd "$ROOT" && env -u RUSTFLAGS RUSTC_BOOTSTRAP=1 cargo "$@" -j2 --target x86_64-unknown-linux-gnu --target-dir target/asan \
        --config "build.rustflags='-Zsanitizer=address -Cunsafe-allow-abi-mismatch=sanitizer $cfgs'")
}

# asan_found TITLE KIND COMMAND...: the run ends with a report of this kind.
asan_found() {
    title=$1 kind=$2
    shift 2
    ROWS=$((ROWS + 1))
    if "$@" >"$LOGS/out" 2>"$LOGS/err"; then
        fail_row "$title" "the run held: AddressSanitizer has found nothing"
    elif ! grep -qh "AddressSanitizer: $kind" "$LOGS/out" "$LOGS/err"; then
        fail_row "$title" "no report of a $kind"
    else
        printf 'ok    %-44s %s\n' "$title" "$kind"
    fi
}

# build_asan_walk CFGS: the walk, and an engine under AddressSanitizer for it. The runtime has malloc to itself, so the
# walk calls the functions of gleaner.h by all names.
build_asan_walk() {
    asan_cargo "$1" build --quiet --release -p gleaner-c
    library=$ROOT/target/asan/x86_64-unknown-linux-gnu/release
    ln -sf libgleaner.so "$library/libgleaner.so.0"
    compile_c walk.asan -O1 -fsanitize=address -include "$TOOLS/one_door.h" "$ROOT/tests/c/model/walk.c" "-L$library" \
        -lgleaner "-Wl,-rpath,$library"
}

sanitizer() {
    # What is alive is the collector's affair, and it looks for addresses on the real stack.
    export ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0
    planted="a_word_past_the_end"
    asan_found "unit test, planted" "heap-buffer-overflow" \
        asan_cargo "--cfg asan --cfg planted_fault" test -p gleaner --lib $planted
    ROWS=$((ROWS + 1))
    if asan_cargo "--cfg asan" test -p gleaner --lib >"$LOGS/out" 2>"$LOGS/err"; then
        printf 'ok    %-44s %s\n' "unit tests" "$(grep '^test result' "$LOGS/out")"
    else
        fail_row "unit tests" "they fail"
    fi
    # Without its cfg the engine is checked in the one place that reads what nobody may read.
    if [ "$MODE" = full ]; then
        build_asan_walk ""
        asan_found "walk, reads of stacks checked" "stack-buffer" "$OUT/walk.asan" 1 20000 1 exact
    fi
    build_asan_walk "--cfg asan"
    for threads in 1 2; do
        for options in "" zeal=100:poison=1:verify=1:recheck=1 mark_stack=64:recheck=1 free=checked:verify=1 \
            free=quarantine:verify=1:recheck=1; do
            row "walk, $threads threads [$options]" 300 \
                env GLEANER_OPTIONS=$options "$OUT/walk.asan" 1 $((40000 / threads)) $threads exact || true
        done
        row "walk, $threads threads [refuse=7]" 300 \
            env GLEANER_OPTIONS=refuse=7 "$OUT/walk.asan" 1 $((40000 / threads)) $threads refused || true
    done
}

need gcc gcc
need valgrind valgrind
build_doors
for group in $GROUPS_WANTED; do
    $group
done
finish
