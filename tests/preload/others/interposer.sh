#!/usr/bin/env bash
# A library that looks on at malloc and calls the next one: before us, and between us and the C library.
set -euo pipefail
library=$1/libgleaner_malloc.so
scratch=$2
cat >"$scratch/onlooker.c" <<'PROGRAM'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
static size_t made;
void *malloc(size_t bytes)
{
    static void *(*next)(size_t);
    if (next == NULL)
        next = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
    made++;
    return next(bytes);
}
void free(void *p)
{
    static void (*next)(void *);
    if (next == NULL)
        next = (void (*)(void *))dlsym(RTLD_NEXT, "free");
    next(p);
}
__attribute__((destructor)) static void tell(void)
{
    fprintf(stderr, "seen: %s\n", made > 100000 ? "all" : "little");
}
PROGRAM
cat >"$scratch/loses.c" <<'PROGRAM'
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
    for (int i = 0; i < 200000; i++) {
        void *volatile lost = malloc(100);
        (void)lost;
    }
    malloc_trim(0);
    puts(mallinfo2().uordblks < 10000000 ? "taken back" : "kept");
    return 0;
}
PROGRAM
gcc -O1 -w -fno-builtin -shared -fPIC "$scratch/onlooker.c" -o "$scratch/onlooker.so" -ldl
gcc -O1 -w -fno-builtin "$scratch/loses.c" -o "$scratch/loses"
expect() {
    local said
    said=$(LD_PRELOAD=$1 GLEANER_OPTIONS=verbose=1 "$scratch/loses" 2>&1 | sort | tr '\n' ' ')
    [ "$said" = "$2" ] || { echo "interposer.sh: with $1 it said: $said"; exit 1; }
}
expect "$scratch/onlooker.so:$library" 'seen: all taken back '
expect "$library:$scratch/onlooker.so" 'seen: little taken back '
