#!/bin/sh
# Compiles gleaner.h and gleaner_inline.h under every standard of C and C++, without one warning.
#
# A line for each compiler and standard; what it compiles: each header alone, the places of all fields (C), every name
# with its type, and two units that include them twice, linked and run. Uses gcc, and clang when it is there. Then the
# header beside those of bdwgc, whose names begin alike.
#
#     tests/header/check.sh
set -eu

here=$(cd "$(dirname "$0")" && pwd)
include=$(cd "$here/../../include" && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
failures=0

# try NAME COMMAND...: runs the command; its output is shown only when it fails.
try() {
    name=$1
    shift
    if ! "$@" >"$out/log" 2>&1; then
        printf 'FAILED  %s: %s\n' "$name" "$*"
        sed 's/^/        /' "$out/log"
        return 1
    fi
}

# standard COMPILER LANGUAGE STANDARD
standard() {
    name="$1 -std=$3"
    compile="$1 -x $2 -std=$3 -Wall -Wextra -pedantic -Werror -I$include"
    # shellcheck disable=SC2086 # $compile is a list of words
    if try "$name" $compile -c "$here/alone.c" -o "$out/alone.o" &&
        try "$name" $compile -O2 -c "$here/inline_alone.c" -o "$out/inline_alone.o" &&
        try "$name" $compile -c "$here/layout.c" -o "$out/layout.o" &&
        try "$name" $compile -c "$here/every_name.c" -o "$out/every_name.o" &&
        try "$name" $compile "$here/two_units.c" "$here/other.c" -o "$out/two_units" &&
        try "$name" "$out/two_units"; then
        printf 'ok      %s\n' "$name"
    else
        failures=$((failures + 1))
    fi
}

command -v gcc >/dev/null && command -v g++ >/dev/null || {
    apt-get update >/dev/null
    apt-get install -y gcc g++ >/dev/null
}

compilers=0
for pair in gcc:g++ clang:clang++; do
    c=${pair%%:*}
    cxx=${pair##*:}
    command -v "$c" >/dev/null && command -v "$cxx" >/dev/null || continue
    compilers=$((compilers + 1))
    for version in c89 c99 c11 c17 c2x; do
        standard "$c" c "$version"
    done
    for version in c++98 c++11 c++14 c++17 c++20 c++2b; do
        standard "$cxx" c++ "$version"
    done
done

# The names keep their C linkage in C++: every gc_ name that the C++ unit wants is a plain one.
g++ -x c++ -I"$include" -c "$here/every_name.c" -o "$out/linkage.o"
mangled=$(nm -u "$out/linkage.o" | grep -c ' _Z.*gc_' || true)
if [ "$mangled" -ne 0 ]; then
    echo "FAILED  C linkage: $mangled gc_ names are mangled in C++"
    failures=$((failures + 1))
else
    echo "ok      C linkage in C++"
fi

# beside_bdwgc DIRECTORY: gleaner.h of that directory before and after bdwgc's headers.
beside_bdwgc() {
    for order in GLEANER_FIRST GLEANER_LAST; do
        gcc -std=c99 -Wall -Werror -I"$1" -D$order -c "$here/beside_bdwgc.c" -o "$out/beside.o" || return 1
    done
    g++ -x c++ -I"$1" -c "$here/beside_bdwgc.c" -o "$out/beside.o"
}

[ -e /usr/include/gc/gc.h ] || {
    apt-get update >/dev/null
    apt-get install -y libgc-dev >/dev/null
}
if try "beside bdwgc's headers" beside_bdwgc "$include"; then
    echo "ok      beside bdwgc's headers"
else
    failures=$((failures + 1))
fi

# The judges are judged: a header with a name of bdwgc's, or with a warning in it, must fail.
mkdir "$out/clash" "$out/planted"
sed 's|GC_CYCLE_START = 0,|GC_CYCLE_START = 0, GC_EVENT_START = 0,|' "$include/gleaner.h" >"$out/clash/gleaner.h"
cp "$include/gleaner_inline.h" "$out/clash"
if beside_bdwgc "$out/clash" 2>/dev/null; then
    echo "FAILED  a planted clash with bdwgc was not noticed"
    failures=$((failures + 1))
else
    echo "ok      a planted clash with bdwgc is noticed"
fi
sed '$s|.*|extern int planted(int unused);\nint planted(int unused) { return 0; }\n#endif|' "$include/gleaner.h" \
    >"$out/planted/gleaner.h"
gcc -std=c89 -I"$out/planted" -c "$here/alone.c" -o "$out/planted.o"
if gcc -std=c89 -Wall -Wextra -pedantic -Werror -I"$out/planted" -c "$here/alone.c" -o "$out/planted.o" 2>/dev/null; then
    echo "FAILED  a planted warning was not noticed"
    failures=$((failures + 1))
else
    echo "ok      a planted warning is noticed"
fi

echo "$failures failures, $compilers compilers"
[ "$failures" -eq 0 ]
