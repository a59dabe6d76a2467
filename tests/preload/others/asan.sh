#!/usr/bin/env bash
# Programs under AddressSanitizer: one that brings its runtime with it has its own malloc, and we stand aside; one that
# loads it as a library after us is told so by that library, as under any preloaded one.
set -euo pipefail
library=$1/libgleaner_malloc.so
scratch=$2
cat >"$scratch/freed.c" <<'PROGRAM'
#include <stdio.h>
#include <stdlib.h>
int main(int count, char **arguments)
{
    char *p = malloc(10);
    p[count] = 'x';
    printf("%c\n", p[count]);
    free(p);
    if (count > 1)
        putchar(p[count]);
    return arguments == NULL;
}
PROGRAM
build() {
    "$@" -w -fsanitize=address "$scratch/freed.c" -o "$scratch/freed" 2>/dev/null
}
# says PATTERN [ARGUMENT]
says() {
    LD_PRELOAD=$library GLEANER_OPTIONS=verbose=1 "$scratch/freed" "${@:2}" >"$scratch/said" 2>&1 || true
    grep -q "$1" "$scratch/said" || { echo "asan.sh: it does not say $1:"; cat "$scratch/said"; exit 1; }
}
stands_aside() {
    build "$@" || { echo "skipped: asan.sh: $* builds no such program"; return; }
    says '^x$'
    says '^gleaner: dormant: '
    says 'heap-use-after-free' freed
}
stands_aside clang
stands_aside gcc -static-libasan
if build gcc; then
    says 'ASan runtime does not come first'
else
    echo "skipped: asan.sh: gcc builds no such program"
fi
