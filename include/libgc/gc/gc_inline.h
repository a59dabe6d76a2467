/* gc_inline.h -- allocation without a call, from lists that the program keeps itself.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A program that knows its thread has an array of GC_TINY_FREELISTS lists of a kind of objects for each thread, zero at
 * first, where the collector finds it; see gc_tiny_fl.h.  The macros take an object of a list, and fill the list when it is
 * empty.  An array of lists of pointer-free objects needs more: the collector follows no link in them, so the program has to
 * mark all their objects, by a procedure of gc_mark.h.
 */
#ifndef GC_INLINE_H
#define GC_INLINE_H

#include "gc.h"
#include "gc_tiny_fl.h"

#ifdef __GNUC__
#define GC_EXPECT(expr, outcome) __builtin_expect(expr, outcome)
#else
#define GC_EXPECT(expr, outcome) (expr)
#endif

#ifndef GC_ASSERT
#ifdef NDEBUG
#define GC_ASSERT(expr)
#else
#include <assert.h>
#define GC_ASSERT(expr) assert(expr)
#endif
#endif

#ifndef GC_PREFETCH_FOR_WRITE
#if defined(__GNUC__) && !defined(GC_NO_PREFETCH_FOR_WRITE)
#define GC_PREFETCH_FOR_WRITE(x) __builtin_prefetch((x), 1)
#else
#define GC_PREFETCH_FOR_WRITE(x) (void)0
#endif
#endif

/* The kinds of GC_malloc_atomic and GC_malloc. */
#define GC_I_PTRFREE 0
#define GC_I_NORMAL 1

#ifdef __cplusplus
extern "C" {
#endif

/* Stores a list of objects of a kind, each of exactly so many bytes: a multiple of GC_GRANULE_BYTES. */
GC_API void GC_CALL GC_generic_malloc_many(size_t, int, void **);
/* One object of a kind; in the second form not from lists of this thread. */
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_malloc_kind(size_t, int);
#ifdef GC_THREADS
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_malloc_kind_global(size_t, int);
#else
#define GC_malloc_kind_global GC_malloc_kind
#endif
/* Prints a list of the collector's own, by kind and granules. */
GC_API void GC_CALL GC_print_free_list(int, size_t);

#ifdef __cplusplus
}
#endif

/* Stores a list's next object: for a collector that may be looking meanwhile, if the program has <atomic_ops.h>. */
#if defined(GC_THREADS) && defined(AO_HAVE_store)
#define GC_FAST_M_AO_STORE(my_fl, next) AO_store((volatile AO_t *)(my_fl), (AO_t)(next))
#else
#define GC_FAST_M_AO_STORE(my_fl, next) (void)(*(my_fl) = (next))
#endif

/* result becomes an object of so many granules from the array of lists; then init is executed.  A list whose word the
 * program has made 1 counts there: each object adds granules + 1, and comes from default_expr until that is more than
 * num_direct, so that no list is filled for few objects.  Objects too big for lists come from default_expr always.
 */
#define GC_FAST_MALLOC_GRANS(result, granules, tiny_fl, num_direct, kind, default_expr, init)                          \
    do {                                                                                                               \
        if (GC_EXPECT((granules) < GC_TINY_FREELISTS, 1)) {                                                            \
            void **my_fl = (tiny_fl) + (granules);                                                                     \
            void *my_entry = *my_fl;                                                                                   \
            if (GC_EXPECT((GC_word)my_entry <= (num_direct) + GC_TINY_FREELISTS + 1, 0)) {                             \
                /* No list: nothing, or a count. */                                                                    \
                if (my_entry != 0 && (GC_word)my_entry <= (GC_word)(num_direct)) {                                     \
                    GC_FAST_M_AO_STORE(my_fl, (void *)((GC_word)my_entry + (granules) + 1));                           \
                    result = (default_expr);                                                                           \
                    break;                                                                                             \
                }                                                                                                      \
                GC_generic_malloc_many((granules) == 0 ? GC_GRANULE_BYTES : GC_RAW_BYTES_FROM_INDEX(granules), kind,   \
                                       my_fl);                                                                         \
                my_entry = *my_fl;                                                                                     \
            }                                                                                                          \
            if (GC_EXPECT(my_entry != 0, 1)) {                                                                         \
                void *next = *(void **)my_entry;                                                                       \
                result = my_entry;                                                                                     \
                GC_FAST_M_AO_STORE(my_fl, next);                                                                       \
                init;                                                                                                  \
                GC_PREFETCH_FOR_WRITE(next);                                                                           \
                if ((kind) != GC_I_PTRFREE) {                                                                          \
                    GC_end_stubborn_change(my_fl);                                                                     \
                    GC_reachable_here(next);                                                                           \
                }                                                                                                      \
                GC_ASSERT(GC_size(result) >= (granules) * GC_GRANULE_BYTES);                                           \
                GC_ASSERT((kind) == GC_I_PTRFREE || ((GC_word *)result)[1] == 0);                                      \
            } else {                                                                                                   \
                result = (*GC_get_oom_fn())((granules) * GC_GRANULE_BYTES);                                            \
            }                                                                                                          \
        } else {                                                                                                       \
            result = (default_expr);                                                                                   \
        }                                                                                                              \
    } while (0)

#define GC_WORDS_TO_WHOLE_GRANULES(n) GC_WORDS_TO_GRANULES((n) + GC_GRANULE_WORDS - 1)

/* The same by the number of words. */
#define GC_MALLOC_WORDS_KIND(result, n, tiny_fl, kind, init)                                                           \
    do {                                                                                                               \
        size_t granules = GC_WORDS_TO_WHOLE_GRANULES(n);                                                               \
        GC_FAST_MALLOC_GRANS(result, granules, tiny_fl, 0, kind, GC_malloc_kind(granules * GC_GRANULE_BYTES, kind),    \
                             init);                                                                                    \
    } while (0)
/* An object full of zeros, and one that is not searched. */
#define GC_MALLOC_WORDS(result, n, tiny_fl) \
    GC_MALLOC_WORDS_KIND(result, n, tiny_fl, GC_I_NORMAL, *(void **)(result) = 0)
#define GC_MALLOC_ATOMIC_WORDS(result, n, tiny_fl) GC_MALLOC_WORDS_KIND(result, n, tiny_fl, GC_I_PTRFREE, (void)0)
/* A pair. */
#define GC_CONS(result, first, second, tiny_fl)                                                                        \
    do {                                                                                                               \
        void *l = (void *)(first);                                                                                     \
        void *r = (void *)(second);                                                                                    \
        GC_MALLOC_WORDS_KIND(result, 2, tiny_fl, GC_I_NORMAL, (void)0);                                                \
        if ((result) != 0) {                                                                                           \
            *(void **)(result) = l;                                                                                    \
            GC_PTR_STORE_AND_DIRTY((void **)(result) + 1, r);                                                          \
            GC_reachable_here(l);                                                                                      \
        }                                                                                                              \
    } while (0)

#endif
