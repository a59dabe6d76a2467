/* gc_backptr.h -- why an object is reachable.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * These functions are declared for programs that mention them.  Neither this library nor Debian's has them: bdwgc has to be
 * built with KEEP_BACK_PTRS for that.
 */
#ifndef GC_BACKPTR_H
#define GC_BACKPTR_H

#include "gc.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What refers to an object. */
typedef enum {
    GC_UNREFERENCED,
    GC_NO_SPACE,
    GC_REFD_FROM_ROOT,
    GC_REFD_FROM_REG,
    GC_REFD_FROM_HEAP,
    GC_FINALIZER_REFD
} GC_ref_kind;

/* Stores where the reference is: the address, or the object and the distance in it. */
GC_API GC_ref_kind GC_CALL GC_get_back_ptr_info(void *, void **, size_t *) GC_ATTR_NONNULL(1);
GC_API void *GC_CALL GC_generate_random_heap_address(void);
GC_API void *GC_CALL GC_generate_random_valid_address(void);
GC_API void GC_CALL GC_generate_random_backtrace(void);
GC_API void GC_CALL GC_print_backtrace(void *) GC_ATTR_NONNULL(1);

#ifdef __cplusplus
}
#endif

#endif
