/* For the programs here: each ends with 0, or says on one line what it found. */
#ifndef CHECK_H
#define CHECK_H

#include <gc.h>
#include <gc_mark.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition, ...)                            \
    do {                                                 \
        if (!(condition)) {                              \
            printf("%s:%d: ", __FILE__, __LINE__);       \
            printf(__VA_ARGS__);                         \
            printf("\n");                                \
            exit(1);                                     \
        }                                                \
    } while (0)

/* Uses the stack below the caller, so that no address of what has been called remains there. */
__attribute__((noinline, unused)) static void wipe_stack(void) {
    volatile char room[16384];
    for (size_t i = 0; i < sizeof room; i++)
        room[i] = 0;
}

/* Bytes of an object that has pages of its own: GC_base finds nothing there once it is gone. */
enum { LARGE = 200000 };

/* Exported, and in no header that is installed. */
#ifdef __cplusplus
extern "C"
#endif
void GC_noop1(GC_word value);

/* A word that hides an address, and the address again. */
#define HIDDEN(p) (~(GC_word)(p))
#define SEEN(h) ((void *)~(h))

/* Whether a collection has taken a large object back that was at a hidden address. */
__attribute__((noinline, unused)) static int is_gone(GC_word hidden) {
    wipe_stack();
    GC_gcollect();
    return GC_base(SEEN(hidden)) == NULL;
}

#endif
