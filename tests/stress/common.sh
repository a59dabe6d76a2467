# shellcheck shell=sh disable=SC2034,SC2086
#
# What the stress scripts share: where things are, building, and one row of the table a run.
#
# Sourced, not run. A row runs one program under one door with one set of options, within a time, and prints whether it
# held and its line of figures. A row that fails shows what the program said; `finish` names all that failed.
#
# Environment: DOORS    directory with the built libraries; without it they are built first, into target/doors/release
#              OUT      where programs are built, target/stress without it

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
OUT=${OUT:-$ROOT/target/stress}
STRESS=$ROOT/tests/stress
WARNINGS="-Wall -Wextra -Wshadow"      # a list of words, like every variable of flags here: never quoted
ROWS=0
FAILED=
mkdir -p "$OUT"
LOGS=$(mktemp -d "${TMPDIR:-/tmp}/stress.XXXXXX")
trap 'rm -rf "$LOGS"' EXIT

# need COMMAND PACKAGE: installs what is missing.
need() {
    command -v "$1" >/dev/null 2>&1 && return
    apt-get install -y -qq "$2" >/dev/null || { echo "$0: $1 is missing and $2 cannot be installed" >&2; exit 1; }
}

build_doors() {
    if [ -z "${DOORS:-}" ]; then
        (cd "$ROOT" && cargo build --quiet --release --target-dir target/doors)
        DOORS=$ROOT/target/doors/release
    fi
    for library in libgleaner.so libgleaner_malloc.so; do
        [ -f "$DOORS/$library" ] || { echo "$0: $DOORS has no $library" >&2; exit 1; }
    done
    PRELOAD=$DOORS/libgleaner_malloc.so
    # A program asks for the library by its SONAME; that link is what an installation would lay down.
    need readelf binutils
    LIBRARIES=$OUT/lib
    mkdir -p "$LIBRARIES"
    soname=$(readelf -d "$DOORS/libgleaner.so" | sed -n 's/.*SONAME.*\[\(.*\)\].*/\1/p')
    ln -sf "$DOORS/libgleaner.so" "$LIBRARIES/libgleaner.so"
    ln -sf "$DOORS/libgleaner.so" "$LIBRARIES/${soname:-libgleaner.so}"
}

# compile_c OUTPUT FLAGS... and compile_cxx: programs for the C header's door are linked with LINK_GLEANER.
compile_c() {
    output=$1
    shift
    gcc -std=gnu11 -g -pthread $WARNINGS -I"$ROOT/include" -o "$OUT/$output" "$@"
}
compile_cxx() {
    output=$1
    shift
    g++ -std=gnu++17 -g -pthread $WARNINGS -I"$ROOT/include" -o "$OUT/$output" "$@"
}
link_gleaner() { echo "-L$LIBRARIES -lgleaner -Wl,-rpath,$LIBRARIES"; }

# field KEY FILE: the value of the first "KEY=value" in a file.
field() { sed -n "s/.*\\b$1=\\([^ ]*\\).*/\\1/p" "$2" | head -n 1; }

fail_row() {
    printf 'FAIL  %-44s %s\n' "$1" "$2"
    sed 's/^/      | /' "$LOGS/out" "$LOGS/err" | tail -n 12
    FAILED="$FAILED
  $1: $2"
}

# row NAME SECONDS COMMAND...: standard output and error stay in $LOGS/out and $LOGS/err for further checks.
# Returns 0 when the program ended with 0 in time and, if it names its collections, there were some.
row() {
    name=$1
    seconds=$2
    shift 2
    ROWS=$((ROWS + 1))
    status=0
    # `timeout` leads a process group of its own: children that a failed program left behind end with it.
    timeout --signal=KILL "$seconds" "$@" >"$LOGS/out" 2>"$LOGS/err" &
    group=$!
    wait "$group" 2>/dev/null || status=$?
    kill -KILL -- "-$group" 2>/dev/null || true
    if [ "$status" -eq 137 ]; then
        fail_row "$name" "killed after $seconds seconds"
        return 1
    elif [ "$status" -ne 0 ]; then
        fail_row "$name" "exit status $status"
        return 1
    elif [ "$(field collections "$LOGS/out")" = 0 ]; then
        fail_row "$name" "not one collection: nothing is shown"
        return 1
    fi
    printf 'ok    %-44s %s\n' "$name" "$(sed 's/^[^:]*: //' "$LOGS/out" | tail -n 1)"
}

finish() {
    if [ -n "$FAILED" ]; then
        printf '%s\n' "$ROWS rows, these failed:$FAILED" >&2
        exit 1
    fi
    echo "$ROWS rows, all held"
}
