/* gc_disclaim.h -- kinds of objects that are told when they end: cheaper than finalizers.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef GC_DISCLAIM_H
#define GC_DISCLAIM_H

#include "gc.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Called with each object of a kind that is not reachable; other than 0 keeps it until the next collection.  It must not
 * allocate.
 */
typedef int(GC_CALLBACK *GC_disclaim_proc)(void *);
/* The kind, the procedure, and other than 0 if what its objects point to is to be there still, as the program has left it:
 * then an object is shown before those that it leads to, a long chain by as many collections, and circles never.  That goes
 * for objects whose first word has one of its two lowest bits set.
 */
GC_API void GC_CALL GC_register_disclaim_proc(int, GC_disclaim_proc, int) GC_ATTR_NONNULL(2);

/* Called with an object and cd. */
struct GC_finalizer_closure {
    GC_finalization_proc proc;
    void *cd;
};
/* Before the first object that has one, which is aligned to 8 bytes.  What it leads to is there when the closure is called,
 * as above.
 */
GC_API void GC_CALL GC_init_finalized_malloc(void);
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL
    GC_finalized_malloc(size_t, const struct GC_finalizer_closure *) GC_ATTR_NONNULL(2);

#ifdef __cplusplus
}
#endif

#endif
