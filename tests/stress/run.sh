#!/bin/sh
# shellcheck disable=SC2046,SC2086
#
# The stress programs of this directory: each under the doors and options that it is for. Prints a row a program and
# ends with the names of those that failed.
#
#     run.sh [--short] [GROUP...]
#
#     footprint     a leak of 1 GB ends with a small resident set
#     finalizers    finalizers, weak cells, ephemerons, typed layouts
#     threads       fork, waves of threads, dlopen beside collections
#     callbacks     exceptions, longjmp, pthread_exit, pthread_cancel out of every callback
#     misuse        use after free, double free, realloc that fails, a limit that is reached
#
# Without a group: all. --short is for every change (two minutes), the full sizes are what the project promises.
set -eu
. "$(dirname "$0")/common.sh"

MODE=full
GROUPS_WANTED=
for argument in "$@"; do
    case $argument in
    --short) MODE=short ;;
    footprint | finalizers | threads | callbacks | misuse) GROUPS_WANTED="$GROUPS_WANTED $argument" ;;
    *) echo "run.sh: unknown argument $argument: see the top of the script" >&2; exit 2 ;;
    esac
done
GROUPS_WANTED=${GROUPS_WANTED:-footprint finalizers threads callbacks misuse}

# size FULL SHORT: the size that this mode takes.
size() { if [ "$MODE" = full ]; then echo "$1"; else echo "$2"; fi; }

# under DOOR OPTIONS NAME SECONDS PROGRAM ARGS...: PROGRAM.gleaner is linked with libgleaner, PROGRAM.malloc is a plain
# program that gets the malloc door by preloading; `both` preloads the malloc door under the program linked with
# libgleaner, whose gc_ functions then come from there.
under() {
    door=$1
    options=$2
    name=$3
    seconds=$4
    program=$5
    shift 5
    title="$name [$door${options:+ $options}]"
    case $door in
    gleaner) row "$title" "$seconds" env GLEANER_OPTIONS="$options" "$OUT/$program.gleaner" "$@" ;;
    malloc) row "$title" "$seconds" env GLEANER_OPTIONS="$options" LD_PRELOAD="$PRELOAD" "$OUT/$program.malloc" "$@" ;;
    both) row "$title" "$seconds" env GLEANER_OPTIONS="$options" LD_PRELOAD="$PRELOAD" "$OUT/$program.gleaner" "$@" ;;
    esac
}

# build_c PROGRAM [SOURCE...]: for both doors. -fno-builtin: what malloc and free do is the point, so they are called.
build_c() {
    program=$1
    compile_c "$program.gleaner" -O2 "$STRESS/$program.c" $(link_gleaner)
    compile_c "$program.malloc" -O2 -fno-builtin -DDOOR_MALLOC "$STRESS/$program.c"
}

footprint() {
    ROWS=$((ROWS + 1))
    echo "--    leak_footprint.sh"
    if [ "$MODE" = full ]; then set --; else set -- --short; fi
    DOORS=$DOORS OUT=$OUT "$STRESS/leak_footprint.sh" "$@" || FAILED="$FAILED
  leak_footprint.sh"
}

finalizers() {
    for program in finalizers ephemeron_chain typed_layout; do
        compile_c "$program.gleaner" -O2 "$STRESS/$program.c" $(link_gleaner)
    done
    for door in gleaner both; do
        under "$door" "" "finalizers" 300 finalizers --objects "$(size 1000000 100000)" || true
        under "$door" recheck=1:verify=1 "finalizers" 300 finalizers --objects "$(size 200000 20000)" || true
        under "$door" zeal=50:poison=1:verify=1:recheck=1 "finalizers" 300 finalizers --objects 5000 || true
        under "$door" "" "chain of ephemerons" 120 ephemeron_chain --length "$(size 100000 20000)" || true
        under "$door" "" "typed layout" 60 typed_layout || true
        under "$door" zeal=50:poison=1:verify=1:recheck=1 "typed layout" 60 typed_layout --objects 1000 || true
    done
}

build_threads() {
    build_c fork_storm
    build_c thread_waves
    build_c dlopen_loop
    for door in gleaner malloc; do
        flags=-DDOOR_MALLOC libraries=
        [ "$door" = gleaner ] && { flags='' libraries=$(link_gleaner); }
        gcc -std=gnu11 -O2 -g -pthread $WARNINGS -fno-builtin $flags -I"$ROOT/include" -c "$STRESS/thread_waves.c" \
            -o "$OUT/thread_waves.$door.o"
        compile_cxx "thread_waves_local.$door" -O2 -fno-builtin $flags "$STRESS/thread_waves_local.cc" \
            "$OUT/thread_waves.$door.o" $libraries
        for number in 1 2; do
            compile_c "plugin$number.$door.so" -O2 -fno-builtin $flags -fPIC -shared "$STRESS/dlopen_plugin.c" \
                $libraries
        done
    done
}

threads() {
    build_threads
    zeal=zeal=200:poison=1:verify=1
    for door in gleaner malloc; do
        plugins="$OUT/plugin1.$door.so $OUT/plugin2.$door.so"
        under "$door" "" "fork storm" 300 fork_storm --objects "$(size 1000000 100000)" --forks "$(size 200 20)" || true
        under "$door" verify=1 "fork storm" 300 fork_storm --objects 50000 --forks "$(size 50 10)" || true
        under "$door" "" "waves of threads" 300 thread_waves --threads "$(size 2000 300)" || true
        under "$door" "" "waves, thread_local" 300 thread_waves_local --threads "$(size 2000 300)" || true
        under "$door" "$zeal" "waves of threads" 300 thread_waves --threads "$(size 400 100)" || true
        under "$door" "" "dlopen loop" 180 dlopen_loop --loops "$(size 500 50)" $plugins || true
        under "$door" "$zeal" "dlopen loop" 180 dlopen_loop --loops "$(size 50 10)" $plugins || true
    done
}

callbacks() {
    need g++ g++
    compile_cxx callbacks.gleaner -O2 "$STRESS/callbacks.cc" $(link_gleaner)
    compile_c region_jumps.gleaner -O2 "$STRESS/region_jumps.c" $(link_gleaner)
    compile_cxx callbacks_new.malloc -O2 -fno-builtin -DDOOR_MALLOC "$STRESS/callbacks_new.cc"
    for door in gleaner both; do
        under "$door" "" "callbacks" 240 callbacks || true
        under "$door" "" "callbacks, finalizers by hand" 240 callbacks --manual 1 || true
        under "$door" "" "jumps out of regions" 240 region_jumps --collections "$(size 20000 2000)" || true
        under "$door" recheck=1:poison=1:verify=1 "jumps out of regions" 240 region_jumps || true
    done
    under malloc "" "operator new" 120 callbacks_new || true
    under malloc verify=1 "operator new" 120 callbacks_new || true
}

# place_names PLACE FUNCTION PROGRAM: whether "symbol+offset" or "module+offset" of a report lies in FUNCTION.
place_names() {
    case $1 in *"$2"*) return 0 ;; esac
    offset=$(printf '%s\n' "$1" | sed -n 's/.*+\(0x[0-9a-f]*\).*/\1/p')
    [ -n "$offset" ] || return 1
    # A return address may be the first byte after the call: the byte before it is the call's.
    addr2line -f -e "$OUT/$3" "$(printf '0x%x' $((offset - 1)))" | grep -qx "$2"
}

# report_line FREED-HOW ADDRESS: the report's line about that object, from the last row.
report_line() { grep "^gleaner: free: $1: $2, an object of [0-9]* bytes" "$LOGS/err" | head -n 1; }

check_use_after_free() {
    title="use after free, report"
    ROWS=$((ROWS + 1))
    address=$(field object "$LOGS/out")
    line=$(report_line "used after free" "$address")
    place=$(printf '%s\n' "$line" | sed -n 's/.*written after it was freed at \(.*\), still reachable from .*/\1/p')
    root=$(printf '%s\n' "$line" | sed -n 's/.*, still reachable from \(.*\)/\1/p')
    if [ -z "$line" ]; then
        fail_row "$title" "no line about $address"
    elif ! place_names "$place" session_close quarantine_uaf.malloc; then
        fail_row "$title" "the place \"$place\" is not in session_close"
    elif [ -z "$root" ]; then
        fail_row "$title" "no root is named"
    else
        printf 'ok    %-44s freed at %s, reachable from %s\n' "$title" "$place" "$root"
    fi
}

check_double_free() {
    for address in $(field objects "$LOGS/out" | tr ',' ' '); do
        title="double free, report of $address"
        ROWS=$((ROWS + 1))
        line=$(report_line "freed twice" "$address")
        first=$(printf '%s\n' "$line" | sed -n 's/.*; first freed at \(.*\), again at .*/\1/p')
        again=$(printf '%s\n' "$line" | sed -n 's/.*, again at \(.*\)/\1/p')
        if [ -z "$line" ]; then
            fail_row "$title" "no line about it"
        elif ! place_names "$first" release_first quarantine_double.malloc; then
            fail_row "$title" "the first place \"$first\" is not in release_first"
        elif ! place_names "$again" release_again quarantine_double.malloc; then
            fail_row "$title" "the second place \"$again\" is not in release_again"
        else
            printf 'ok    %-44s first at %s, again at %s\n' "$title" "$first" "$again"
        fi
    done
}

misuse() {
    need addr2line binutils
    build_c realloc_fail
    build_c limit
    for program in quarantine_uaf quarantine_double; do
        compile_c "$program.malloc" -O1 -fno-builtin "$STRESS/$program.c"
    done
    if under malloc free=quarantine "use after free" 60 quarantine_uaf; then check_use_after_free; fi
    if under malloc free=quarantine:verify=1 "use after free" 60 quarantine_uaf; then check_use_after_free; fi
    if under malloc free=quarantine "double free" 60 quarantine_double; then check_double_free; fi
    if under malloc free=quarantine:verify=1 "double free" 60 quarantine_double; then check_double_free; fi
    for door in gleaner malloc; do
        under "$door" "" "realloc that fails" 60 realloc_fail || true
        under "$door" limit=64M "realloc that fails, at a limit" 60 realloc_fail --grow 1 || true
        under "$door" verify=1:poison=1 "realloc that fails" 60 realloc_fail || true
    done
    under gleaner "" "limit reached by live data" 60 limit --megabytes 64 || true
    under malloc limit=64M "limit reached by live data" 60 limit --megabytes 64 || true
    under gleaner verify=1 "limit reached by live data" 60 limit --megabytes 16 || true
    under malloc limit=16M:verify=1 "limit reached by live data" 60 limit --megabytes 16 || true
}

need gcc gcc
build_doors
for group in $GROUPS_WANTED; do
    $group
done
finish
