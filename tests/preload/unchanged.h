/* A large mapping that was read in several collections and found to hold no pointer. */
#ifndef UNCHANGED_H
#define UNCHANGED_H

#include "preload.h"

#include <sys/mman.h>

enum { LARGE_BYTES = 64 << 20, PAGE_WORDS = 4096 / sizeof(uintptr_t) };

static uintptr_t *large;

/* Every page holds something, and nobody has written to it for some collections. */
static NOINLINE void large_make(void *at)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | (at != NULL ? MAP_FIXED : 0);
    large = mmap(at, LARGE_BYTES, PROT_READ | PROT_WRITE, flags, -1, 0);
    NEED(large != MAP_FAILED);
    for (size_t i = 0; i < LARGE_BYTES / sizeof *large; i += PAGE_WORDS)
        large[i] = i + 1;
    for (int i = 0; i < 4; i++)
        malloc_trim(0);
}

/* The first word of a page in the middle. */
static uintptr_t *large_page(size_t page)
{
    return &large[page * PAGE_WORDS];
}

#endif
