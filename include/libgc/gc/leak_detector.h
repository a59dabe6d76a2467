/* leak_detector.h -- has a program's calls of malloc go to the collector, which tells what was not freed.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * To be included before anything else (gcc -include gc/leak_detector.h) in all of a program, which sets GC_find_leak or
 * GC_FIND_LEAK in the environment.
 */
#ifndef GC_LEAK_DETECTOR_H
#define GC_LEAK_DETECTOR_H

/* Reports name the line that allocated. */
#ifndef GC_DEBUG
#define GC_DEBUG
#endif
#include "gc.h"

/* The C library declares its own first. */
#ifndef GC_DONT_INCLUDE_STDLIB
#include <stdlib.h>
#include <string.h>
#endif
#ifdef GC_REQUIRE_WCSDUP
#include <wchar.h>
#endif

#undef malloc
#undef calloc
#undef realloc
#undef free
#undef memalign
#undef posix_memalign
#undef strdup
#undef strndup
#define malloc(n) GC_MALLOC(n)
#define calloc(m, n) GC_MALLOC((m) * (n))
#define realloc(p, n) GC_REALLOC(p, n)
#define free(p) GC_FREE(p)
#define memalign(a, n) GC_memalign(a, n)
#define posix_memalign(p, a, n) GC_posix_memalign(p, a, n)
#define strdup(s) GC_STRDUP(s)
#define strndup(s, n) GC_STRNDUP(s, n)
#ifdef GC_REQUIRE_WCSDUP
#undef wcsdup
#define wcsdup(s) GC_WCSDUP(s)
#endif

/* Reports now; the end of the program does too. */
#ifndef CHECK_LEAKS
#define CHECK_LEAKS() GC_gcollect()
#endif

#endif
