#!/bin/bash
# Acceptance: real interpreters live on the heap, and do what they did before.
#
#   tests/interpreters/run.sh [--short] [--no-zeal] [--rounds N] [--language lua|scheme] [PROGRAM...]
#
# Fetches the sources of Lua 5.4 and TinyScheme by their Debian package names, builds each as it is and with the patches
# of this directory, runs the programs of lua/programs and scheme/programs on each, and compares what they print:
#
#   own         as it is: its own collector, glibc's malloc. What the others are compared with.
#   door        the same program, the malloc door preloaded: its own collector frees into our heap
#   header      as it is but for its allocator, which is gleaner.h's (Lua only: TinyScheme takes memory by the segment)
#   collected   without its collector: ours finds what is dead
#
# First under zeal (a collection every few allocations, freed memory poisoned, the heap verified each time), small; then
# at full size with ordinary options, in turn, and prints the medians of processor time and largest resident set.
# Exit status 1 when an output differs, or when a program ran `collected` and nothing was reclaimed.
#
#   --short           small sizes, one round: under 40 seconds
#   --no-zeal         full size only, for times
#   --rounds N        how often each runs at full size, 5 if not given
#   --language NAME   only that one
#   PROGRAM           only these: `trees`, `weak`
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
doors=$root/target/doors/release
work=$root/target/interpreters
rounds=5 scale=4 zeal_scale=0.1 zeal_every=1 zeal=yes languages=(lua scheme) chosen=()

usage() { sed -n '2,/^set /{s/^# \{0,1\}//;/^set /d;p}' "$0"; }

while (($#)); do
    case $1 in
    --short) rounds=1 scale=0.5 zeal_scale=0.05 zeal_every=5 ;;
    --no-zeal) zeal=no ;;
    --rounds) rounds=${2:?--rounds needs a number} && shift ;;
    --language) languages=("${2:?--language needs a name}") && shift ;;
    -h | --help) usage && exit ;;
    -*) echo "run.sh: unknown option: $1; see --help" >&2 && exit 2 ;;
    *) chosen+=("$1") ;;
    esac
    shift
done
[[ -r $doors/libgleaner.so && -r $doors/libgleaner_malloc.so ]] || {
    echo "run.sh: no libraries in $doors; build them with make doors" >&2
    exit 2
}
mkdir -p "$work"
export LC_ALL=C.UTF-8
unset LD_PRELOAD GLEANER_OPTIONS LUA_INIT LUA_INIT_5_4 LUA_PATH LUA_CPATH

# ---- Sources ---------------------------------------------------------------------------------------------------------

# shellcheck source=../common/packages.sh
. "$root/tests/common/packages.sh"
# shellcheck source=../common/sources.sh
. "$root/tests/common/sources.sh"

# unpack ARCHIVE-PATTERN DIRECTORY: a fresh copy of what the archive holds.
unpack() {
    rm -rf "$2" && mkdir -p "$2"
    # shellcheck disable=SC2086
    tar -xf $work/sources/$1 --strip-components=1 -C "$2"
}

apply() { (cd "$1" && patch -s -p1) <"$2"; }

# ---- Building --------------------------------------------------------------------------------------------------------

# compile OUT-DIRECTORY FLAGS... -- SOURCE...: objects, two at a time.
compile() {
    local out=$1 flags=()
    shift
    while [[ $1 != -- ]]; do flags+=("$1") && shift; done
    shift
    mkdir -p "$out"
    printf '%s\n' "$@" | xargs -P2 -I{} sh -c 'out=$1/$(basename "$2" .c).o; shift; exec gcc -O2 -c -o "$out" "$@"' \
        sh "$out" {} "${flags[@]}"
}
link() {
    local out=$1
    shift
    gcc -o "$out" "$@" -lm -ldl -Wl,-E
}
ours=(-L"$doors" -lgleaner -Wl,-rpath,"$doors")

build_lua() {
    local plain=$work/lua collected=$work/lua-collected flags=(-std=gnu99 -DLUA_COMPAT_5_3 -DLUA_USE_LINUX)
    unpack 'lua5.4_5.4.4.orig.tar.*' "$plain"
    unpack 'lua5.4_5.4.4.orig.tar.*' "$collected"
    apply "$collected" "$here/lua/lua.patch"
    cp "$here"/lua/{lgc.c,lweak.c,lweak.h} "$collected/src"
    rm "$plain/src/luac.c" "$collected/src/luac.c"
    compile "$plain/out" "${flags[@]}" -- "$plain"/src/*.c
    link "$work/bin/lua-own" "$plain"/out/*.o
    compile "$plain/out/header" "${flags[@]}" -I"$plain/src" -I"$root/include" -DluaL_newstate=gleaner_newstate \
        -- "$plain/src/lua.c" "$here/lua/newstate.c"
    rm "$plain/out/lua.o"
    link "$work/bin/lua-header" "$plain"/out/*.o "$plain"/out/header/*.o "${ours[@]}"
    compile "$collected/out" "${flags[@]}" -I"$root/include" -- "$collected"/src/*.c
    link "$work/bin/lua-collected" "$collected"/out/*.o "${ours[@]}"
}

build_scheme() {
    local plain=$work/scheme collected=$work/scheme-collected
    local flags=(-w -DUSE_DL=1 -DSUN_DL=1 -DUSE_MATH=1 -DUSE_ASCII_NAMES=0 -DUSE_PLIST=1 -DINLINE= -DCELL_NSEGMENT=2000)
    unpack 'tinyscheme_1.42.svn.2020.06.04.orig.tar.*' "$plain"
    unpack 'tinyscheme_1.42.svn.2020.06.04.orig.tar.*' "$collected"
    apply "$plain" "$here/scheme/index.patch"
    apply "$collected" "$here/scheme/index.patch"
    apply "$collected" "$here/scheme/scheme.patch"
    compile "$plain/out" "${flags[@]}" -- "$plain"/{scheme,dynload}.c
    link "$work/bin/scheme-own" "$plain"/out/*.o
    compile "$collected/out" "${flags[@]}" -I"$root/include" -- "$collected"/{scheme,dynload}.c
    link "$work/bin/scheme-collected" "$collected"/out/*.o "${ours[@]}"
}

# ---- Running ---------------------------------------------------------------------------------------------------------

variants_lua=(own door header collected) variants_scheme=(own door collected)

# Allocations from one collection to the next under zeal. A collection reads the stacks: `errors` recurses until its own
# stack is full, `coroutines` has thousands of them. TinyScheme allocates for each step that it takes.
zeal_of() {
    case $1/$2 in
    lua/errors) echo $((20000 * zeal_every)) ;;
    lua/coroutines) echo $((400 * zeal_every)) ;;
    lua/*) echo $((40 * zeal_every)) ;;
    scheme/*) echo $((1000 * zeal_every)) ;;
    esac
}

# run_once LANGUAGE VARIANT PROGRAM SCALE OPTIONS: leaves its stdout, stderr and status in $work/run, and its figures.
run_once() {
    local language=$1 variant=$2 program=$3 binary=$work/bin/$1-$2 status=0 environment=("GLEANER_OPTIONS=stats=1$5")
    local out=$work/run/$language-$program-$variant command
    if [[ $variant = door ]]; then
        binary=$work/bin/$language-own
        environment+=("LD_PRELOAD=$doors/libgleaner_malloc.so")
    fi
    case $language in
    lua) command=("$binary" "$program.lua" "$4") ;;
    scheme)
        command=("$binary" -1 "$program.scm" "$4")
        environment+=("TINYSCHEMEINIT=$work/scheme/init.scm")
        ;;
    esac
    (cd "$here/$language/programs" && timeout 300 "$work/bin/timed" "$out.figures" env "${environment[@]}" "${command[@]}") \
        >"$out.stdout" 2>"$out.stderr.all" || status=$?
    grep -v '^gleaner: exit ' "$out.stderr.all" >"$out.stderr" || true
    echo "$status" >"$out.status"
}

failures=0
fail() {
    echo "FAILED: $*" >&2
    failures=$((failures + 1))
}

# same LANGUAGE PROGRAM VARIANT WHEN: compares with `own`.
same() {
    local base=$work/run/$1-$2 part
    for part in stdout stderr status; do
        diff -u "$base-own.$part" "$base-$3.$part" >"$base-$3.diff" || {
            fail "$1 $2, $3, $4: another $part than its own"
            head -20 "$base-$3.diff" >&2
            return
        }
    done
    [[ $(cat "$base-own.status") = 0 ]] || fail "$1 $2, $4: exit status $(cat "$base-own.status")"
    [[ $3 = collected ]] || return 0
    grep -Eq '^gleaner: exit collections=[1-9][0-9]* reclaimed_bytes=[1-9]' "$base-$3.stderr.all" ||
        fail "$1 $2, $3, $4: nothing was reclaimed"
}

under_zeal() {
    local language=$1 program=$2 variant
    local -n variants=variants_$language
    for variant in "${variants[@]}"; do
        run_once "$language" "$variant" "$program" "$zeal_scale" ":zeal=$(zeal_of "$language" "$program"):poison=1:verify=1"
        [[ $variant = own ]] || same "$language" "$program" "$variant" "under zeal"
    done
}

median() { sort -n | awk '{a[NR] = $1} END {print a[int((NR + 1) / 2)]}'; }

# One row: for each variant the medians of time and memory.
measure() {
    local language=$1 program=$2 variant round base
    local -n variants=variants_$language
    rm -f "$work/run/$language-$program"-*.rounds
    for ((round = 0; round < rounds; round++)); do
        for variant in "${variants[@]}"; do
            base=$work/run/$language-$program-$variant
            run_once "$language" "$variant" "$program" "$scale" ''
            cat "$base.figures" >>"$base.rounds"
            [[ $variant = own ]] || same "$language" "$program" "$variant" "ordinary options"
        done
    done
    printf '%-14s' "$program"
    for variant in "${variants[@]}"; do
        base=$work/run/$language-$program-$variant.rounds
        printf ' %7.2f s %6.1f MiB' "$(cut -d' ' -f1 "$base" | median)" \
            "$(cut -d' ' -f2 "$base" | median | awk '{print $1 / 1024}')"
    done
    echo
}

run_language() {
    local language=$1 program programs=() variant
    local -n variants=variants_$language
    for program in "$here/$language"/programs/*; do
        program=$(basename "${program%.*}")
        if ((!${#chosen[@]})) || [[ " ${chosen[*]} " = *" $program "* ]]; then programs+=("$program"); fi
    done
    if [[ $zeal = yes ]]; then
        for program in "${programs[@]}"; do under_zeal "$language" "$program"; done
        echo "$language: ${#programs[@]} programs under zeal compared"
    fi
    printf '%-14s' "$language"
    for variant in "${variants[@]}"; do printf ' %20s' "$variant"; done
    echo
    for program in "${programs[@]}"; do measure "$language" "$program"; done
}

install_packages "$work/apt.log" gcc libc6-dev patch tar gzip xz-utils diffutils
# The patches here are for these versions.
fetch_source "$work" lua5.4 'lua5.4_5.4.4.orig.tar.*'
fetch_source "$work" tinyscheme 'tinyscheme_1.42.svn.2020.06.04.orig.tar.*'
rm -rf "$work/run" "$work/bin" && mkdir -p "$work/run" "$work/bin"
gcc -O2 -Wall -Wextra -o "$work/bin/timed" "$root/tests/common/timed.c"
for language in "${languages[@]}"; do
    "build_$language"
    run_language "$language"
done
((!failures)) || { echo "$failures comparisons failed" >&2 && exit 1; }
