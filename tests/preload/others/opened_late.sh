#!/usr/bin/env bash
# A program that opens the library while it runs, beside the C library's malloc: it is no stranger to stand aside for.
set -euo pipefail
library=$1/libgleaner_malloc.so
scratch=$2
cat >"$scratch/opens.c" <<'PROGRAM'
#include <dlfcn.h>
#include <stdio.h>
int main(int count, char **arguments)
{
    void *library = dlopen(arguments[count - 1], RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return puts(dlerror());
    void *(*gc_malloc)(unsigned long) = (void *(*)(unsigned long))dlsym(library, "gc_malloc");
    unsigned long (*gc_collections)(void) = (unsigned long (*)(void))dlsym(library, "gc_collections");
    for (int i = 0; i < 1000000; i++)
        gc_malloc(100);
    puts(gc_collections() > 0 ? "collected" : "not collected");
    return 0;
}
PROGRAM
gcc -O1 -w -fno-builtin "$scratch/opens.c" -o "$scratch/opens" -ldl
said=$(GLEANER_OPTIONS=verbose=1 "$scratch/opens" "$library" 2>&1)
[ "$said" = collected ] || { echo "opened_late.sh: $said"; exit 1; }
