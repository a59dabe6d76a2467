#!/bin/bash
# The judge is judged: run.sh passes a copy of Debian's libgc, and fails each library with a planted fault, for its reason.
#
#   tests/libgc/programs/judged.sh
#
# A library with a fault is a few lines of C in front of a copy of Debian's under another name.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/judged.XXXXXX")
trap 'rm -rf "$work"' EXIT
# shellcheck source=../../common/packages.sh
source "$here/../../common/packages.sh"
install_packages "$work/apt.log" gcc libc6-dev libgc-dev guile-3.0

original=$(realpath "$(gcc -print-file-name=libgc.so.1)")
failures=0

# plant NAME CODE: the directory NAME with a libgc.so.1 that runs this C before Debian's.
plant() {
    mkdir "$work/$1"
    LC_ALL=C sed 's/libgc\.so\.1\x00/libgx.so.1\x00/g' "$original" >"$work/$1/libgx.so.1"
    printf '%s\n' "$2" | gcc -shared -fPIC -w -o "$work/$1/libgc.so.1" -Wl,-soname,libgc.so.1 -x c - -x none \
        -Wl,--no-as-needed "$work/$1/libgx.so.1" -Wl,-rpath,"$work/$1"
}

# expect NAME STATUS PATTERN CASE: what run.sh says of the library in the directory NAME.
expect() {
    local status=0
    "$here/run.sh" --small --library "$work/$1" "$4" >"$work/said" 2>&1 || status=$?
    if [[ $status != "$2" ]] || ! grep -Eq "$3" "$work/said"; then
        echo "FAILED: $1: status $status for $2, and it should say '$3':" >&2
        cat "$work/said" >&2
        failures=$((failures + 1))
    else
        echo "$1: $(grep -Em1 "$3" "$work/said")"
    fi
}

mkdir "$work/copy" "$work/elsewhere"
cp "$original" "$work/copy/libgc.so.1"
ln -s "$original" "$work/elsewhere/libgc.so.1"
plant harmless ''
plant frees '#define _GNU_SOURCE
#include <dlfcn.h>
void GC_free(void *);
void *GC_malloc(unsigned long n) {
    static void *(*next)(unsigned long), *last;
    static int count;
    if (next == 0) next = dlsym(RTLD_NEXT, "GC_malloc");
    void *new = next(n);
    if (++count % 100 == 0) { if (count > 5000) GC_free(last); last = new; }
    return new;
}'
plant forgets 'int GC_invoke_finalizers(void) { return 0; }'
plant keeps 'extern int GC_dont_gc; __attribute__((constructor)) static void start(void) { GC_dont_gc = 1; }'
plant crashes 'void *GC_malloc_atomic(unsigned long n) { return *(void **)8; }'

expect copy 0 '1 cases: same output' guile/guardians
expect harmless 0 '1 cases: same output' guile/guardians
expect frees 1 'exit status: debian 0, on our library 1' guile/earley
expect forgets 1 '^    \+most came back: #f' guile/guardians
expect keeps 1 'no collections on our library' guile/parsing
expect crashes 1 'exit status: debian 0, on our library (139|1)' guile/tables
expect elsewhere 1 'which is the library to be judged' guile/tables

((failures == 0)) || exit 1
echo "7 libraries judged"
