/* gc_mark.h -- kinds of objects, procedures that mark them, and the roots of programs that keep stacks of their own.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * For language runtimes.  A kind of objects has a descriptor, a word that says where in an object pointers are; its lowest
 * two bits tell how.  Numbers here are part of the binary interface.
 */
#ifndef GC_MARK_H
#define GC_MARK_H

#include "gc.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Descriptors -------------------------------------------------------------------------------------------------- */

#define GC_DS_TAG_BITS 2
#define GC_DS_TAGS ((1 << GC_DS_TAG_BITS) - 1)
/* The first so many bytes, a multiple of 4. */
#define GC_DS_LENGTH 0
/* A bit for each of the first 62 words, from the highest bit down. */
#define GC_DS_BITMAP 1
/* What a mark procedure says. */
#define GC_DS_PROC 2
/* The descriptor is a word of the object, at this distance in bytes; if negative, of what the object's first word points to,
 * at the distance from GC_INDIR_PER_OBJ_BIAS down.
 */
#define GC_DS_PER_OBJECT 3
#define GC_INDIR_PER_OBJ_BIAS 0x10

/* ---- Mark procedures ----------------------------------------------------------------------------------------------
 *
 * Called with an object, the stack of objects to mark, its limit, and the number from the descriptor.  It calls
 * GC_MARK_AND_PUSH for each pointer in the object and returns the stack as the last call did.  It must not allocate or lock.
 * It is also called with objects that are not in use, all zero but for the first word.
 */
#ifdef NOT_GCBUILD
struct GC_ms_entry;
#else
struct GC_ms_entry {
    void *opaque;
};
#endif
typedef struct GC_ms_entry *(*GC_mark_proc)(GC_word *, struct GC_ms_entry *, struct GC_ms_entry *, GC_word);

/* How many bytes of an object a procedure should look at in one call, about. */
#define GC_PROC_BYTES 100

#define GC_LOG_MAX_MARK_PROCS 6
#define GC_MAX_MARK_PROCS (1 << GC_LOG_MAX_MARK_PROCS)
/* The first ones have fixed meanings. */
#define GC_RESERVED_MARK_PROCS 8
#define GC_GCJ_RESERVED_MARK_PROC_INDEX 0

/* The index of a procedure; of the second form with the lock held. */
GC_API unsigned GC_CALL GC_new_proc(GC_mark_proc);
GC_API unsigned GC_CALL GC_new_proc_inner(GC_mark_proc);
/* The descriptor of objects for which it is called with env. */
#define GC_MAKE_PROC(proc_index, env) \
    (((((env) << GC_LOG_MAX_MARK_PROCS) | (proc_index)) << GC_DS_TAG_BITS) | GC_DS_PROC)

/* Marks the object that the first argument points into, if any; the last is where the pointer was found. */
GC_API struct GC_ms_entry *GC_CALL GC_mark_and_push(void *, struct GC_ms_entry *, struct GC_ms_entry *, void **);
/* All objects lie between these. */
GC_API void *GC_least_plausible_heap_addr;
GC_API void *GC_greatest_plausible_heap_addr;
#define GC_MARK_AND_PUSH(obj, msp, lim, src)                             \
    ((GC_word)(obj) >= (GC_word)GC_least_plausible_heap_addr &&          \
             (GC_word)(obj) <= (GC_word)GC_greatest_plausible_heap_addr  \
         ? GC_mark_and_push(obj, msp, lim, src)                          \
         : (msp))

/* ---- Kinds -------------------------------------------------------------------------------------------------------- */

/* What a kind's lists begin as. The _inner forms of these are for those who hold the lock. */
GC_API void **GC_CALL GC_new_free_list(void);
GC_API void **GC_CALL GC_new_free_list_inner(void);
/* A kind by its lists, its descriptor, whether to add an object's size to that, and whether new objects are zero. */
GC_API unsigned GC_CALL GC_new_kind(void **, GC_word, int, int) GC_ATTR_NONNULL(1);
GC_API unsigned GC_CALL GC_new_kind_inner(void **, GC_word, int, int) GC_ATTR_NONNULL(1);

/* An object of a kind; one that is kept by a pointer into its first page; one of a kind of uncollectable objects. */
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_generic_malloc(size_t, int);
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_generic_malloc_ignore_off_page(size_t, int);
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_generic_malloc_uncollectable(size_t, int);
/* One of any kind, the collector's own included. */
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_generic_or_special_malloc(size_t, int);
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_debug_generic_or_special_malloc(size_t, int, GC_EXTRA_PARAMS);
#ifdef GC_DEBUG
#define GC_GENERIC_OR_SPECIAL_MALLOC(sz, knd) GC_debug_generic_or_special_malloc(sz, knd, GC_EXTRAS)
#else
#define GC_GENERIC_OR_SPECIAL_MALLOC(sz, knd) GC_generic_or_special_malloc(sz, knd)
#endif
/* The kind of the object that begins there, and its size unless the place for that is NULL. */
GC_API int GC_CALL GC_get_kind_and_size(const void *, size_t *) GC_ATTR_NONNULL(1);

/* Writes what objects of the kind are, in so many bytes with the zero at the end. */
#define GC_TYPE_DESCR_LEN 40
typedef void(GC_CALLBACK *GC_describe_type_fn)(void *, char *);
GC_API void GC_CALL GC_register_describe_type_fn(int, GC_describe_type_fn);

/* From the start of an object for debugging, as GC_base has it, to what the program got. */
GC_API GC_ATTR_CONST size_t GC_CALL GC_get_debug_header_size(void);
GC_API GC_ATTR_DEPRECATED size_t GC_debug_header_size;
#define GC_USR_PTR_FROM_BASE(p) ((void *)((char *)(p) + GC_get_debug_header_size()))

/* ---- While objects are marked --------------------------------------------------------------------------------------
 *
 * Marks of the object that begins there; setting one does not mark what it points to.  One that is set stays: clearing it
 * does nothing.
 */
GC_API int GC_CALL GC_is_marked(const void *) GC_ATTR_NONNULL(1);
GC_API void GC_CALL GC_set_mark_bit(const void *) GC_ATTR_NONNULL(1);
GC_API void GC_CALL GC_clear_mark_bit(const void *) GC_ATTR_NONNULL(1);

/* Called at the start of each full collection. */
typedef void(GC_CALLBACK *GC_start_callback_proc)(void);
GC_API void GC_CALL GC_set_start_callback(GC_start_callback_proc);
GC_API GC_start_callback_proc GC_CALL GC_get_start_callback(void);

/* Called when all other roots have been looked at, the world standing still.  It calls the function that was there before,
 * and those below for a range from its first byte to the one past it.
 */
typedef void(GC_CALLBACK *GC_push_other_roots_proc)(void);
GC_API void GC_CALL GC_set_push_other_roots(GC_push_other_roots_proc);
GC_API GC_push_other_roots_proc GC_CALL GC_get_push_other_roots(void);
/* As static data is searched; as a stack is; not at all if the last argument is 0 and nothing there has changed. */
GC_API void GC_CALL GC_push_all(void *, void *);
GC_API void GC_CALL GC_push_all_eager(void *, void *);
GC_API void GC_CALL GC_push_conditional(void *, void *, int);
GC_API void GC_CALL GC_push_finalizer_structures(void);
/* Whether the address is in a range that the collector has found by itself. */
GC_API int GC_CALL GC_is_tmp_root(void *);

/* With the lock held: calls the function with each object, its size, and the last argument. */
typedef void(GC_CALLBACK *GC_reachable_object_proc)(void *, size_t, void *);
GC_API void GC_CALL GC_enumerate_reachable_objects_inner(GC_reachable_object_proc, void *) GC_ATTR_NONNULL(1);

/* Clears the part of the stack that is not in use; returns its argument. */
GC_API void *GC_CALL GC_clear_stack(void *);

#ifdef __cplusplus
}
#endif

#endif
