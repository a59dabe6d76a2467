/* The names of malloc's family for a program whose heap is gleaner.h alone: AddressSanitizer's runtime has the real
 * ones. Included before everything else. */
#ifndef ONE_DOOR_H
#define ONE_DOOR_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <gleaner.h>
#include <malloc.h>
#include <stdlib.h>

#define malloc gc_malloc
#define calloc gc_calloc
#define realloc gc_realloc
#define free gc_free
#define malloc_usable_size gc_usable_size
#define posix_memalign(result, align, bytes) ((*(result) = gc_memalign(align, bytes)) != NULL ? 0 : ENOMEM)

#endif
