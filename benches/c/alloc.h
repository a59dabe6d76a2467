/*
 * One set of allocation words for every workload, bound to one allocator by a macro at compile time:
 *
 *     -DUSE_GLEANER   gleaner.h: objects are collected, alloc_free does nothing
 *     -DUSE_BDWGC     gc.h of the Boehm-Demers-Weiser collector: likewise
 *     -DUSE_MALLOC    malloc and free by hand, from whatever library the process has
 *
 *     alloc_scanned         may hold pointers; the caller initialises every field, for malloc does not zero
 *     alloc_zeroed          may hold pointers, and is zero (calloc)
 *     alloc_pointer_free    holds no pointers, is not zeroed
 *     alloc_uncollectable   zero, a root, until alloc_release
 *     alloc_resized         realloc: keeps what fits, and the kind
 *     alloc_free            where a careful C program frees: nothing under a collector
 *     alloc_release         frees by hand under a collector too
 *     alloc_collect         a full collection, where there is a collector
 *
 * A workload is written once, with every alloc_free that a careful C program would have. What the collectors do
 * not need, they skip, so that the same source times collecting against freeing by hand. No word returns NULL: a
 * request that is refused ends the program.
 *
 * Include this header before <pthread.h> is used: gc.h redirects the thread functions.
 */
#ifndef BENCHES_ALLOC_H
#define BENCHES_ALLOC_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <pthread.h>

#if defined(USE_GLEANER) + defined(USE_BDWGC) + defined(USE_MALLOC) != 1
#error "choose one allocator: -DUSE_GLEANER, -DUSE_BDWGC or -DUSE_MALLOC"
#endif
#if !defined(USE_BDWGC)
#include <gleaner.h>
#endif

/* What the allocator says about its own work; zero where it does not say. */
struct alloc_figures {
    unsigned long collections;
    unsigned long pause_total_us;
    unsigned long pause_longest_us;
    unsigned long metadata_bytes;
};

#if !defined(USE_BDWGC)
static inline struct alloc_figures alloc_figures_gleaner(void)
{
    gc_stats stats = { .size = sizeof stats };
    if (gc_stats_get(&stats) != 0) {
        fprintf(stderr, "alloc: gc_stats_get refused a structure of %zu bytes\n", sizeof stats);
        exit(1);
    }
    return (struct alloc_figures){ (unsigned long)stats.collections, (unsigned long)(stats.pause_total_ns / 1000),
                                   (unsigned long)(stats.pause_longest_ns / 1000),
                                   (unsigned long)stats.bytes_metadata };
}
#endif

#if defined(USE_GLEANER)

#define ALLOC_NAME "gleaner"
#define ALLOC_COLLECTS 1

static inline void alloc_init(void) { gc_init(); }
static inline void *alloc_try_scanned(size_t size) { return gc_malloc(size); }
static inline void *alloc_try_zeroed(size_t size) { return gc_malloc(size); }
static inline void *alloc_try_pointer_free(size_t size) { return gc_malloc_atomic(size); }
static inline void *alloc_try_uncollectable(size_t size) { return gc_malloc_uncollectable(size); }
static inline void *alloc_try_resized(void *object, size_t size) { return gc_realloc(object, size); }
static inline void alloc_free(void *object) { (void)object; }
static inline void alloc_release(void *object) { gc_free(object); }
static inline void alloc_collect(void) { gc_collect(); }
static inline struct alloc_figures alloc_figures(void) { return alloc_figures_gleaner(); }

#elif defined(USE_BDWGC)

#define GC_THREADS
#include <gc.h>
#include <time.h>

#define ALLOC_NAME "bdwgc"
#define ALLOC_COLLECTS 1

static unsigned long alloc_stopped_at_ns, alloc_pause_total_ns, alloc_pause_longest_ns;

/* The time from before the first stop signal to after the last thread was let go, as our own figure counts it. */
static void GC_CALLBACK alloc_on_event(GC_EventType event)
{
    struct timespec now;
    if (event != GC_EVENT_PRE_STOP_WORLD && event != GC_EVENT_POST_START_WORLD)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    unsigned long now_ns = (unsigned long)now.tv_sec * 1000000000UL + (unsigned long)now.tv_nsec;
    if (event == GC_EVENT_PRE_STOP_WORLD) {
        alloc_stopped_at_ns = now_ns;
        return;
    }
    unsigned long pause_ns = now_ns - alloc_stopped_at_ns;
    alloc_pause_total_ns += pause_ns;
    if (pause_ns > alloc_pause_longest_ns)
        alloc_pause_longest_ns = pause_ns;
}

static inline void alloc_init(void)
{
    GC_INIT();
    GC_set_on_collection_event(alloc_on_event);
}
static inline void *alloc_try_scanned(size_t size) { return GC_MALLOC(size); }
static inline void *alloc_try_zeroed(size_t size) { return GC_MALLOC(size); }
static inline void *alloc_try_pointer_free(size_t size) { return GC_MALLOC_ATOMIC(size); }
static inline void *alloc_try_uncollectable(size_t size) { return GC_MALLOC_UNCOLLECTABLE(size); }
static inline void *alloc_try_resized(void *object, size_t size) { return GC_REALLOC(object, size); }
static inline void alloc_free(void *object) { (void)object; }
static inline void alloc_release(void *object) { GC_FREE(object); }
static inline void alloc_collect(void) { GC_gcollect(); }

static inline struct alloc_figures alloc_figures(void)
{
    return (struct alloc_figures){ (unsigned long)GC_get_gc_no(), alloc_pause_total_ns / 1000,
                                   alloc_pause_longest_ns / 1000, 0 };
}

#else

#define ALLOC_NAME "malloc"
#define ALLOC_COLLECTS 0

/* Only a preloaded libgleaner_malloc.so has these; the other mallocs leave them NULL. */
#pragma weak gc_collect
#pragma weak gc_stats_get

static inline void alloc_init(void) {}
static inline void *alloc_try_scanned(size_t size) { return malloc(size); }
static inline void *alloc_try_zeroed(size_t size) { return calloc(1, size); }
static inline void *alloc_try_pointer_free(size_t size) { return malloc(size); }
static inline void *alloc_try_uncollectable(size_t size) { return calloc(1, size); }
static inline void *alloc_try_resized(void *object, size_t size) { return realloc(object, size); }
static inline void alloc_free(void *object) { free(object); }
static inline void alloc_release(void *object) { free(object); }

static inline void alloc_collect(void)
{
    if (gc_collect != NULL)
        gc_collect();
}

static inline struct alloc_figures alloc_figures(void)
{
    return gc_stats_get != NULL ? alloc_figures_gleaner() : (struct alloc_figures){ 0, 0, 0, 0 };
}

#endif

/* The workloads never run out of memory on purpose: no memory ends them, with the size that was refused. */
static inline void *alloc_some(void *object, size_t size)
{
    if (object == NULL) {
        fprintf(stderr, "alloc: %s refused %zu bytes\n", ALLOC_NAME, size);
        exit(1);
    }
    return object;
}
static inline void *alloc_scanned(size_t size) { return alloc_some(alloc_try_scanned(size), size); }
static inline void *alloc_zeroed(size_t size) { return alloc_some(alloc_try_zeroed(size), size); }
static inline void *alloc_pointer_free(size_t size) { return alloc_some(alloc_try_pointer_free(size), size); }
static inline void *alloc_uncollectable(size_t size) { return alloc_some(alloc_try_uncollectable(size), size); }
static inline void *alloc_resized(void *object, size_t size)
{
    return alloc_some(alloc_try_resized(object, size), size);
}

/* The same object, and the compiler knows no more of it: it leaves out neither the allocation nor what was written. */
static inline void *alloc_opaque(void *object)
{
    __asm__ volatile("" : "+r"(object) : : "memory");
    return object;
}

#endif
