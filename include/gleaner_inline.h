/* gleaner_inline.h -- allocation without a call, for programs that allocate small objects all the time.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * gleaner.h is enough for every program; this header is for the few places where a call for each object shows: the
 * constructors of an interpreter's values.  It needs GCC or Clang.
 *
 *     static void *new_pair(void) { return gc_malloc_inline(16); }            (a constant size)
 *
 *     gc_cache *pairs = gc_cache_get(16, GC_KIND_SCANNED);                    (once a thread)
 *     ...  pair = gc_cache_malloc(pairs);
 *
 * A cache is a thread's own stack of free slots of one size class and one kind, the same that gc_malloc takes from.  It
 * is popped here; when it is empty, the library's function fills it, collects when that is due, and runs what waits to
 * be called, so both functions may do all that gc_malloc may.
 *
 * The order of accesses is the design.  A collection may stop the thread between any two instructions, and then each
 * slot has to be in the cache or in a register, on a stack or in an object: so the slot is read before `top` is lowered,
 * both by volatile accesses, and the empty asm, which reads `top` again and hands the slot on, has whatever the program
 * writes into the object come after that.  There is no flag and no fence.
 *
 * What is here is compiled into the program, so it is part of the binary interface: the first two words of a cache, and
 * what gc_malloc_inline computes from the thread's word.  A library with another layout says so: gc_cache_get gives NULL
 * there, and a program that uses gc_malloc_inline is not started by the loader, for the thread's word has the number of
 * the layout in its name.
 */
#ifndef GLEANER_INLINE_H
#define GLEANER_INLINE_H

#include "gleaner.h"

#if !defined(__GNUC__)
#error "gleaner_inline.h needs GCC or Clang; use the functions of gleaner.h"
#endif

/* The layout that this header was written for. */
#define GC_CACHE_LAYOUT 1u

/* Sizes up to here may be allocated from a cache, typed objects without their last 8. */
#define GC_CACHE_BYTES_MAX 8192u

#define GLEANER_INLINE static __inline__ __attribute__((__always_inline__, __unused__))

#ifdef __cplusplus
extern "C" {
#endif

struct gc_cache {
    uintptr_t *volatile gc_top; /* behind the slot that goes next */
    uintptr_t *gc_bottom;       /* `top` of an empty one; the library changes it, inside a call */
};

/* The word of the calling thread that says where its caches are; NULL where it has none, or must not use them now. */
extern __thread char *gleaner_thread_1 __attribute__((__tls_model__("initial-exec")));

/* Bytes of the slot for an object of `size`, at most GC_CACHE_BYTES_MAX: a multiple of 16, beyond 128 the next of four
 * steps a doubling.  A constant where `size` is one. */
GLEANER_INLINE size_t gleaner_slot_bytes(size_t size)
{
    if (size <= 128)
        return size <= 16 ? 16 : (size + 15) & ~(size_t)15;
    else {
        size_t step = (size_t)1 << (61 - __builtin_clzl(size - 1));
        return (size + step - 1) & ~(step - 1);
    }
}

/* The number of that size class. */
GLEANER_INLINE size_t gleaner_size_class(size_t size)
{
    if (size <= 128)
        return gleaner_slot_bytes(size) / 16;
    else {
        size_t doubling = 63 - (size_t)__builtin_clzl(size - 1);
        return 9 + (doubling - 7) * 4 + (((size - 1) >> (doubling - 2)) & 3);
    }
}

/* The next slot of a cache that is not empty and has this `top`. */
GLEANER_INLINE void *gleaner_pop(gc_cache *cache, uintptr_t *top)
{
    void *slot = (void *)*(uintptr_t volatile *)(top - 1);
    cache->gc_top = top - 1;
    __asm__("" : "+r"(slot) : "m"(cache->gc_top));
    return slot;
}

/* The calling thread's cache for objects of `size` bytes and a kind: one of enum gc_fixed_kind, or one of gc_kind_new.
 * The thread's own, as long as the thread lives, also after a fork in the child; gc_thread_unregister ends it.
 * It is not memory of the heap, keeps nothing, and need not be given back.
 * Errors: NULL and EINVAL for a size above GC_CACHE_BYTES_MAX or a kind that is none, NULL and ENOMEM, NULL and ENOSYS
 * where the library has another layout than this header: allocate with the functions of gleaner.h then. */
GLEANER_INLINE gc_cache *gc_cache_get(size_t size, gc_kind kind)
{
    return gc_cache_find(GC_CACHE_LAYOUT, size, kind);
}

/* An object of the size and kind that the cache was asked for, as from gc_malloc, gc_malloc_atomic,
 * gc_malloc_uncollectable or gc_malloc_kind.
 * Threads: the one whose cache it is, where it could allocate by gleaner.h: not in a trace procedure, not in the function
 * of gc_blocking, not in a signal handler; a fiber that goes on on another thread asks for that thread's cache.  These
 * mistakes are not seen while the cache has slots, and then two threads get one object, or a collection takes one that is
 * in use.  What the slow path sees of them aborts with a message; with option zeal=1 every call takes it.
 * Errors: NULL and ENOMEM, after the handler of gc_oom_handler_set. */
GLEANER_INLINE void *gc_cache_malloc(gc_cache *cache)
{
    uintptr_t *top = cache->gc_top;
    if (__builtin_expect(top == cache->gc_bottom, 0))
        return gc_cache_malloc_slowly(cache);
    return gleaner_pop(cache, top);
}

/* The same for a cache of kind GC_KIND_TYPED: as gc_malloc_typed(size, layout).  `size` is what the cache was asked for,
 * best a constant; `layout` is not 0.
 * The object is all zero before it has its layout, and no layout means no pointers: so a collection in between finds
 * nothing in it, and nothing is in it.  What the program writes comes after the layout. */
GLEANER_INLINE void *gc_cache_malloc_typed(gc_cache *cache, size_t size, gc_layout layout)
{
    uintptr_t *top = cache->gc_top;
    gc_layout volatile *place;
    void *object;
    if (__builtin_expect(top == cache->gc_bottom, 0))
        return gc_cache_malloc_typed_slowly(cache, size, layout);
    object = gleaner_pop(cache, top);
    place = (gc_layout volatile *)((char *)object + gleaner_slot_bytes(size + sizeof layout) - sizeof layout);
    *place = layout;
    __asm__("" : "+r"(object) : "m"(*place));
    return object;
}

/* gc_malloc(size), without a call where `size` is a constant known to the compiler and not above GC_CACHE_BYTES_MAX.  It
 * finds the thread's cache by itself, two instructions more than gc_cache_malloc, and may be used wherever gc_malloc may:
 * the thread's word is NULL where it must not. */
GLEANER_INLINE void *gc_malloc_inline(size_t size)
{
    const size_t class_number = ((size_t)GC_KIND_SCANNED << 6) | gleaner_size_class(size);
    char *record;
    gc_cache *cache;
    uintptr_t *top;
    if (!__builtin_constant_p(size) || size > GC_CACHE_BYTES_MAX)
        return gc_malloc(size);
    record = gleaner_thread_1;
    if (__builtin_expect(record == NULL, 0))
        return gc_malloc(size);
    cache = (gc_cache *)(void *)(record + 32 * class_number);
    top = cache->gc_top;
    if (__builtin_expect(top == cache->gc_bottom, 0))
        return gc_malloc(size);
    return gleaner_pop(cache, top);
}

#ifdef __cplusplus
}
#endif

#endif
