/* What the programs of the malloc door share. They are compiled with -fno-builtin: the compiler would leave calls out. */
#ifndef FAMILY_H
#define FAMILY_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include "../contract/check.h"

/* What an output parameter holds before a call that must not write to it. */
static char untouched_target __attribute__((__unused__));

/* C23. */
#ifdef __cplusplus
extern "C" {
#endif
void free_sized(void *p, size_t size);
void free_aligned_sized(void *p, size_t alignment, size_t size);
#ifdef __cplusplus
}
#endif

static inline int is_all(const void *p, unsigned char value, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)p;
    size_t i;
    for (i = 0; i < size; i++)
        if (bytes[i] != value)
            return 0;
    return 1;
}

#endif
