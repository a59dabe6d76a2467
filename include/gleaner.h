/* gleaner.h -- a heap that collects what the program no longer reaches, for C and C++.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * READ THIS FIRST.  In a program that does not use the malloc door (libgleaner_malloc.so), glibc's own heap is NOT
 * searched for pointers: an object whose only address lies in memory from malloc, strdup, getline or operator new is
 * reclaimed while you still use it.  Keep such addresses in memory of gc_malloc or gc_malloc_uncollectable, or
 * announce the memory with gc_root_add, or pin the object with gc_pin.  The same holds for memory from mmap.  With
 * the malloc door the program's whole heap is searched, and this warning falls away.
 *
 *
 * What keeps an object alive
 *
 *   An object is reclaimed when no root reaches it.  Roots are words in
 *     - the registers and stacks of all threads, and the used parts of fibers' stacks (see Fibers),
 *     - thread-local storage (__thread, thread_local) of all threads, and pthread_setspecific's values of the first 32
 *       keys (those of later keys, and arguments of atexit's kin, lie in glibc's heap),
 *     - static data of the program and of every loaded library, dlopen'ed ones included,
 *     - ranges announced with gc_root_add,
 *     - uncollectable objects, pinned objects, and the data words of finalizers.
 *   From a root the search goes on through the words of every scanned object it meets.
 *
 *   The search is conservative: every aligned word that could be an address is taken for one.  Any address inside an
 *   object keeps it, not only its start; low bits used as tags do no harm.  On stacks and in vector registers an address
 *   is found at whatever byte it lies.  These are not seen: elsewhere, a word that lies across an 8-byte boundary (packed
 *   structures), and anywhere an address that is stored xored, compressed, shifted, or with its high bits changed.
 *
 *   One past the end.  In the heap, an address one past the end of an object keeps nothing: it is the first address
 *   of the next object.  In registers, stacks, thread-local storage, static data, announced ranges and
 *   uncollectable objects it keeps the object that ends there as well, so a loop `for (p = a; p != end; p++)` holds
 *   its array.
 *
 *   Objects never move.  Their pages must stay readable and writable, unless the malloc door is there to see mprotect.
 *
 * Sizes and alignment
 *
 *   All sizes are bytes.  Sizes are exact: a request of 16 takes 16.  A request that is no size class
 *   gets the next one, a multiple of 16 up to 128 and then one of four a doubling; gc_usable_size tells.  Size 0 gives
 *   an object of its own, of the smallest size.  Every object is aligned for every C type (16 bytes), and more
 *   strictly if asked (gc_memalign).  No object is larger than PTRDIFF_MAX.
 *
 * Ownership
 *
 *   The collector owns what it hands out.  Nothing need be freed but gc_malloc_uncollectable's objects; gc_free is
 *   there for what is known to be dead, and is honoured at once.  Functions that take a `const char *` or a bitmap
 *   copy it.
 *
 * Threads and signals
 *
 *   Every function may be called by any thread at any time, unless its contract says otherwise; threads need not be
 *   announced.  None may be called from a trace procedure but gc_trace_word and gc_trace_range.  From a signal
 *   handler: gc_weak_get, gc_collections and gc_version are safe; nothing else is promised.  During a collection
 *   the other threads are stopped by a signal (option `signal`; SIGURG, or a real-time signal if the program has a
 *   handler for that).  A thread that has blocked it is asked by the signal that glibc keeps for setuid; leave both out
 *   of the sets of sigwait and signalfd.  System calls that this interrupts are restarted where the kernel can; poll,
 *   select, epoll_wait, nanosleep, sem_timedwait and calls with a time limit fail with EINTR, as after any signal.
 *   gc_blocking keeps all of them whole, and the malloc door goes on with most by itself: see libgleaner_malloc(7).
 *   After fork the child has the whole heap and may use and collect it.
 *
 * Several copies in one process
 *
 *   A program and its plugins may each bring the library, shared or static, opened with RTLD_LOCAL, RTLD_DEEPBIND or
 *   dlmopen: the first copy that is used has the heap, and the others' functions are its.  GLEANER_OPTIONS concerns
 *   that one.  A copy of another major version says so once on stderr; what it allocates is a heap of its own, which
 *   is never collected and keeps nothing of the other alive.  A plugin that contains libgleaner.a must not be unloaded
 *   (link it with -Wl,-z,nodelete).  An engine that is part of a Rust program is not found by the copies of this
 *   library.
 *
 *   There is one heap in a process, for all threads and interpreters: the search cannot tell which of several a word of
 *   a stack belongs to, nor see an address of one stored in another.  An interpreter that nothing refers to any more is
 *   garbage as a whole; what needs limits and pauses of its own needs a process of its own.
 *
 * Errors
 *
 *   A function that can fail says so in its result: NULL or 0 with errno set, or an errno value as result, as written
 *   at each.  No function changes errno when it succeeds.  An allocation that finds no memory collects first, then
 *   calls the handler of gc_oom_handler_set and returns its result; without a handler it returns NULL with ENOMEM.
 *   Misuse that would corrupt memory (gc_free of a foreign address, of an interior address, a second gc_free) writes
 *   one line to standard error, `gleaner: FUNCTION: WHAT: ADDRESS ...; WHAT TO DO`, and aborts.
 *
 * Callbacks
 *
 *   Handlers, listeners, finalizers and the function of gc_blocking are called outside all locks.  Where the
 *   contract of a callback says `may leave`, it may end by a C++ exception, longjmp or pthread_exit; functions that
 *   may run such a callback are therefore not declared nothrow.  To see jumps, the library defines longjmp and its
 *   kin, which go on to libc's; in a program without shared libraries they jump by themselves.
 *
 * Options are read once, from the environment variable GLEANER_OPTIONS="name=value:name=value" (ignored in programs
 * that run with raised privileges); GLEANER_OPTIONS=help prints their table.  See libgleaner_malloc(7).
 */
#ifndef GLEANER_H
#define GLEANER_H

#include <stddef.h>
#include <stdint.h>

#define GLEANER_VERSION_MAJOR 0
#define GLEANER_VERSION_MINOR 1
#define GLEANER_VERSION_PATCH 0

/* Attributes.  Allocation functions do not name gc_free as their deallocator: objects need not be freed, and with the
 * malloc door free() may free them too. */
#if defined(__GNUC__)
#define GLEANER_API __attribute__((__visibility__("default")))
#define GLEANER_NOTHROW __attribute__((__nothrow__))
#define GLEANER_MALLOC __attribute__((__malloc__))
#define GLEANER_ALLOC_SIZE(n) __attribute__((__alloc_size__(n)))
#define GLEANER_ALLOC_SIZE_PRODUCT(m, n) __attribute__((__alloc_size__(m, n)))
#define GLEANER_ALLOC_ALIGN(n) __attribute__((__alloc_align__(n)))
#define GLEANER_WARN_UNUSED __attribute__((__warn_unused_result__))
#define GLEANER_NONNULL(n) __attribute__((__nonnull__(n)))
#define GLEANER_RETURNS_NONNULL __attribute__((__returns_nonnull__))
#else
#define GLEANER_API
#define GLEANER_NOTHROW
#define GLEANER_MALLOC
#define GLEANER_ALLOC_SIZE(n)
#define GLEANER_ALLOC_SIZE_PRODUCT(m, n)
#define GLEANER_ALLOC_ALIGN(n)
#define GLEANER_WARN_UNUSED
#define GLEANER_NONNULL(n)
#define GLEANER_RETURNS_NONNULL
#endif

#ifdef __cplusplus
extern "C" {
#endif


/* ---- Types ----------------------------------------------------------------------------------------------------- */

/* Which words of a typed object may hold pointers.  Opaque; 0 is no layout. */
typedef uintptr_t gc_layout;

/* A kind of objects with a trace procedure of its own.  0 is no kind. */
typedef unsigned int gc_kind;

/* The kinds that are there from the start, for gc_cache_get of gleaner_inline.h. */
enum gc_fixed_kind {
    GC_KIND_SCANNED = 1,       /* as gc_malloc */
    GC_KIND_POINTER_FREE = 2,  /* as gc_malloc_atomic */
    GC_KIND_UNCOLLECTABLE = 3, /* as gc_malloc_uncollectable */
    GC_KIND_TYPED = 5          /* as gc_malloc_typed */
};

/* A thread's free slots of one size class and one kind: see gleaner_inline.h. */
typedef struct gc_cache gc_cache;

/* The search for live objects, as a trace procedure sees it. */
typedef struct gc_tracer gc_tracer;

/* A trace procedure: reports each pointer of `object` (its start, and its usable size in bytes) to `tracer`.
 * It runs while all other threads are stopped, possibly inside malloc: it must call nothing but gc_trace_word and
 * gc_trace_range, take no lock, change nothing, and return; any other call of gleaner's aborts with a message.  It may
 * see an object that is still all zero.  It runs on a stack of the collector's, of which it may use 256 KiB. */
typedef void (*gc_trace_fn)(void *object, size_t size, gc_tracer *tracer);

/* What gc_blocking runs. */
typedef void *(*gc_blocking_fn)(void *data);

/* A finalizer.  May allocate, collect, set finalizers, store `object` anywhere (see gc_finalizer_set), and may
 * leave. */
typedef void (*gc_finalizer_fn)(void *object, void *data);

/* Called when an allocation of `size` bytes finds no memory.  Its result is the result of the allocation, NULL
 * included; memory that it returns need not be gleaner's, but is the caller's alone.  May allocate,
 * free, collect, and may leave. */
typedef void *(*gc_oom_handler)(size_t size, void *data);

/* Called with a warning, one line without its newline; `message` lives until the handler returns.  May allocate, and
 * may leave. */
typedef void (*gc_warn_handler)(const char *message, void *data);

typedef struct gc_event gc_event;

/* Called with each event of a collection; `event` lives until the listener returns.  May allocate, collect, and may
 * leave: see gc_event_listener_set. */
typedef void (*gc_event_listener)(const gc_event *event, void *data);

/* A weak cell. */
typedef struct gc_weak gc_weak;

/* A fiber: a stack that the program switches to by itself. */
typedef struct gc_fiber gc_fiber;

/* What gc_fiber_switch calls to go on on another fiber's stack. */
typedef void (*gc_fiber_jump)(void *data);

/* A pair of key and value; the value lives no longer than the key. */
typedef struct gc_ephemeron gc_ephemeron;

/* A place for such a pair in an array of gc_malloc_ephemerons.  `reserved` is the collector's, and may be copied or
 * overwritten along with the others. */
typedef struct gc_pair {
    void *key;
    void *value;
    void *reserved;
} gc_pair;

/* When a finalizer may run: see gc_finalizer_set. */
enum gc_finalizer_order {
    GC_FINALIZER_ORDERED = 0,
    GC_FINALIZER_UNORDERED = 1,
    GC_FINALIZER_UNREACHABLE = 2
};

/* When a weak cell is cleared: see gc_weak_register. */
enum gc_weak_kind {
    GC_WEAK_SHORT = 0,
    GC_WEAK_LONG = 1
};

/* How long what a parked fiber holds lives: see gc_fiber_new. */
enum gc_fiber_life {
    GC_FIBER_ROOT = 0,
    GC_FIBER_OBJECT = 1
};

/* The steps of a collection, in their order. */
enum gc_event_kind {
    GC_CYCLE_START = 0,     /* the decision to collect */
    GC_CYCLE_STOP = 1,      /* the other threads have stopped */
    GC_CYCLE_MARK_END = 2,  /* what is live is known; weak cells and finalizers are settled */
    GC_CYCLE_SWEEP_END = 3, /* what is dead is free */
    GC_CYCLE_RESUME = 4     /* the other threads run again */
};

struct gc_event {
    unsigned int version;     /* of this structure: 1; later versions only append */
    enum gc_event_kind kind;
    uint64_t collection;      /* number of the collection, the first is 1 */
    uint64_t time_ns;         /* when it happened, CLOCK_MONOTONIC */
    uint64_t duration_ns;     /* since the previous event of this collection; 0 at the start */
    uint64_t live_bytes;      /* found live; 0 before GC_CYCLE_MARK_END */
    uint64_t reclaimed_bytes; /* taken back; 0 before GC_CYCLE_SWEEP_END */
};

/* Figures of the heap.  Totals and counts of what has happened only grow; times are nanoseconds.  Threads cache free
 * slots of small sizes, and bytes are counted when such a cache is filled or emptied: figures in bytes lag by what the
 * caches hold, at most 1 MiB a thread. */
typedef struct gc_stats {
    size_t size;                      /* set by the caller: sizeof(gc_stats) */
    unsigned int version;             /* set by gc_stats_get: 1; later versions only append */
    uint64_t collections;             /* completed */
    uint64_t bytes_in_use;            /* of objects, by the sizes of their slots */
    uint64_t bytes_heap;              /* of memory taken by blocks and large objects; what the limit limits */
    uint64_t bytes_committed;         /* of address space the heap may touch */
    uint64_t bytes_metadata;          /* of the collector's own memory */
    uint64_t bytes_allocated_total;
    uint64_t bytes_freed_total;       /* by hand */
    uint64_t bytes_reclaimed_total;   /* by the collector */
    uint64_t objects_reclaimed_total;
    uint64_t pause_total_ns;          /* other threads stopped */
    uint64_t pause_longest_ns;
    uint64_t pause_last_ns;
    uint64_t mark_last_ns;
    uint64_t sweep_last_ns;
    uint64_t live_bytes_last;         /* found live by the last collection */
    uint64_t live_objects_last;
    uint64_t threads;                 /* known now */
    uint64_t stops_abandoned;         /* collections given up: a thread did not stop in time, or the roots
                                         could not be read */
    uint64_t finalizers_pending;      /* ready to run */
    uint64_t finalizers_run;
    uint64_t finalizer_cycles;        /* ordered finalizers held back by a cycle, in the last collection */
    uint64_t weak_cleared;            /* cells, and words and pairs of weak objects */
    uint64_t released_bytes_total;    /* given back to the system */
    uint64_t oom_events;              /* allocations that found no memory, even after collecting */
    uint64_t bytes_limit;             /* gc_heap_limit_set; 0 = none */
} gc_stats;


/* ---- Start ----------------------------------------------------------------------------------------------------- */

/* Starts the engine: reads the options and reserves address space.  Optional, the first use does it; again is
 * harmless.  A program whose first use would come in an awkward place (a thread with a tiny stack) calls it in main.
 * Errors: none; a system that refuses the address space is met by the first allocation.
 * From: bdwgc's GC_init, which is mandatory there. */
GLEANER_API void gc_init(void) GLEANER_NOTHROW;

/* The version of the library, "0.1.0"; static.  The macros above are the header's.
 * Errors: none. */
GLEANER_API const char *gc_version(void) GLEANER_NOTHROW GLEANER_RETURNS_NONNULL GLEANER_WARN_UNUSED;

/* Sets an option of GLEANER_OPTIONS by name; both strings are copied.  The environment wins over it.
 * Result: 0; EINVAL for an unknown name or a value that the option does not take; EBUSY after the first
 * allocation. */
GLEANER_API int gc_option_set(const char *name, const char *value)
    GLEANER_NOTHROW GLEANER_NONNULL(1) GLEANER_NONNULL(2);


/* ---- Allocation ------------------------------------------------------------------------------------------------ */

/* An object of `size` bytes: zeroed, searched for pointers, reclaimed when unreachable.  Zeroed is its whole usable
 * size.  May collect, run finalizers and the out-of-memory handler first.
 * Errors: NULL and ENOMEM.  From: C23 malloc; zeroing from bdwgc's GC_malloc. */
GLEANER_API void *gc_malloc(size_t size) GLEANER_MALLOC GLEANER_ALLOC_SIZE(1) GLEANER_WARN_UNUSED;

/* The same for data without pointers (text, pixels, numbers): never searched, NOT zeroed.  An address stored in it
 * keeps nothing.
 * Errors: NULL and ENOMEM.  From: bdwgc's GC_malloc_atomic. */
GLEANER_API void *gc_malloc_atomic(size_t size) GLEANER_MALLOC GLEANER_ALLOC_SIZE(1) GLEANER_WARN_UNUSED;

/* The same for an object that is a root: zeroed, searched, never reclaimed.  The caller owns it and ends it with
 * gc_free.
 * Errors: NULL and ENOMEM.  From: bdwgc's GC_malloc_uncollectable. */
GLEANER_API void *gc_malloc_uncollectable(size_t size) GLEANER_MALLOC GLEANER_ALLOC_SIZE(1) GLEANER_WARN_UNUSED;

/* gc_malloc(count * size), refused when the product overflows.
 * Errors: NULL and ENOMEM.  From: C23 calloc. */
GLEANER_API void *gc_calloc(size_t count, size_t size)
    GLEANER_MALLOC GLEANER_ALLOC_SIZE_PRODUCT(1, 2) GLEANER_WARN_UNUSED;

/* The object `p` with room for `size` bytes, in place or as a new object of the same kind that takes over the
 * contents (typed objects keep their layout, uncollectable ones stay so); after a move the old object is freed as
 * by gc_free: its finalizer and pins end, its weak cells are cleared.  Bytes beyond the old usable size are zero
 * where the kind promises zero.  An alignment beyond 16 (gc_memalign) is not kept by a move.  `p` NULL is
 * gc_malloc(size); size 0 frees `p` and returns NULL.
 * Errors: NULL and ENOMEM, and then the old object is whole and still the caller's.  `p` that is not the start of an
 * object aborts, as in gc_free.
 * From: C17 realloc; size 0 as in glibc (C23 leaves it undefined). */
GLEANER_API void *gc_realloc(void *p, size_t size) GLEANER_ALLOC_SIZE(2) GLEANER_WARN_UNUSED;

/* gc_malloc(size) at a multiple of `alignment`, a power of two of any size; `size` need not be a multiple of it.
 * The result is the start of its object.
 * Errors: NULL and EINVAL for an alignment that is not a power of two, NULL and ENOMEM.
 * From: C23 aligned_alloc, POSIX posix_memalign. */
GLEANER_API void *gc_memalign(size_t alignment, size_t size)
    GLEANER_MALLOC GLEANER_ALLOC_ALIGN(1) GLEANER_ALLOC_SIZE(2) GLEANER_WARN_UNUSED;

/* A pointer-free copy of the string `s`; of at most its first `n` bytes, always terminated.  gc_strndup reads no byte
 * after the n-th.
 * Errors: NULL and ENOMEM.  From: C23 and POSIX strdup, strndup. */
GLEANER_API char *gc_strdup(const char *s) GLEANER_MALLOC GLEANER_NONNULL(1) GLEANER_WARN_UNUSED;
GLEANER_API char *gc_strndup(const char *s, size_t n) GLEANER_MALLOC GLEANER_NONNULL(1) GLEANER_WARN_UNUSED;

/* What the functions of gleaner_inline.h call, and programs by those: gc_cache_find for a cache of the given layout (see
 * gc_cache_get there); the others for an object when a cache is empty, aborting when it is none of the calling thread's
 * or not one for such objects (see gc_cache_malloc and gc_cache_malloc_typed there). */
GLEANER_API gc_cache *gc_cache_find(unsigned int layout, size_t size, gc_kind kind) GLEANER_NOTHROW GLEANER_WARN_UNUSED;
GLEANER_API void *gc_cache_malloc_slowly(gc_cache *cache) GLEANER_NONNULL(1) GLEANER_WARN_UNUSED;
GLEANER_API void *gc_cache_malloc_typed_slowly(gc_cache *cache, size_t size, gc_layout layout)
    GLEANER_NONNULL(1) GLEANER_WARN_UNUSED;

/* Ends the object that starts at `p` at once; NULL is nothing.  Its finalizer does not run, its pins end, its weak
 * cells are cleared.  Any thread may free any object; objects of the malloc door are accepted, and free() accepts
 * gc_ objects there.  Keeps errno.
 * Errors: none; what is not the start of an object in use aborts with a message (at once, or for a second gc_free
 * at the latest when the thread's cache is flushed; option free=checked finds every one at once, free=quarantine
 * forgives it).
 * From: C23 free. */
GLEANER_API void gc_free(void *p) GLEANER_NOTHROW;


/* ---- Questions about an address -------------------------------------------------------------------------------- */

/* The bytes that the caller may use of the object that starts at `p`, at least what was asked for; 0 for NULL.
 * `p` is the start of an object in use; for any other address the result is 0.
 * From: glibc malloc_usable_size. */
GLEANER_API size_t gc_usable_size(const void *p) GLEANER_NOTHROW GLEANER_WARN_UNUSED;

/* The start of the object that holds the address `p`; NULL when no object does (NULL, stack, static data, foreign and
 * free memory).  Of an object that the program has freed by hand it may still say the start.
 * From: bdwgc's GC_base. */
GLEANER_API void *gc_base(const void *p) GLEANER_NOTHROW GLEANER_WARN_UNUSED;

/* Whether an object holds the address `p`: 1 when gc_base(p) is not NULL, else 0. */
GLEANER_API int gc_contains(const void *p) GLEANER_NOTHROW GLEANER_WARN_UNUSED;


/* ---- Objects that say where their pointers are ----------------------------------------------------------------- */

/* A layout: bit i of `bitmap` (bit i % 64 of bitmap[i / 64]) says that word i of an object may hold a pointer;
 * `words` is the number of bits.  Words beyond hold none.  The bitmap is copied.  Layouts live as long as the
 * program: make one a type, not one an object.
 * Errors: 0 and EINVAL for a NULL bitmap or no words, 0 and ENOMEM (no handler is called).
 * From: bdwgc's GC_make_descriptor. */
GLEANER_API gc_layout gc_layout_from_bitmap(const unsigned long *bitmap, size_t words)
    GLEANER_NOTHROW GLEANER_WARN_UNUSED;

/* gc_malloc(size) for an object of which only the words named by `layout` are searched.
 * Errors: NULL and EINVAL for layout 0, NULL and ENOMEM.  From: bdwgc's GC_malloc_explicitly_typed. */
GLEANER_API void *gc_malloc_typed(size_t size, gc_layout layout)
    GLEANER_MALLOC GLEANER_ALLOC_SIZE(1) GLEANER_WARN_UNUSED;

/* A kind whose objects are searched by `trace` alone.  Kinds live as long as the program; there are at most 64.
 * Errors: 0 and ENOSPC when they are used up.  From: bdwgc's GC_new_kind and mark procedures. */
GLEANER_API gc_kind gc_kind_new(gc_trace_fn trace) GLEANER_NOTHROW GLEANER_NONNULL(1) GLEANER_WARN_UNUSED;

/* gc_malloc(size) for an object of that kind.
 * Errors: NULL and EINVAL for a kind that gc_kind_new did not make, NULL and ENOMEM. */
GLEANER_API void *gc_malloc_kind(size_t size, gc_kind kind) GLEANER_MALLOC GLEANER_ALLOC_SIZE(1) GLEANER_WARN_UNUSED;

/* Reports one word to the search: any value, taken for an address as a word of the heap is.  Nothing happens when
 * it is none of ours.
 * Threads: a trace procedure only, with the tracer it was given. */
GLEANER_API void gc_trace_word(gc_tracer *tracer, const void *word) GLEANER_NOTHROW GLEANER_NONNULL(1);

/* Reports all aligned words of [begin, end), as gc_trace_word does for each.
 * Threads: a trace procedure only, with the tracer it was given. */
GLEANER_API void gc_trace_range(gc_tracer *tracer, const void *begin, const void *end)
    GLEANER_NOTHROW GLEANER_NONNULL(1);


/* ---- Collecting ------------------------------------------------------------------------------------------------ */

/* Collects now, and runs the finalizers that are ready (option finalizers=auto), at most one level deep.  Returns
 * when everything unreachable at its start has been taken back, unless collecting is disabled or a thread did not
 * stop in time.
 * Errors: none.  From: bdwgc's GC_gcollect. */
GLEANER_API void gc_collect(void);

/* Gives free memory back to the system, all of it.  Does not collect.
 * Result: the number of bytes given back.  From: glibc malloc_trim. */
GLEANER_API size_t gc_release(void) GLEANER_NOTHROW;

/* gc_disable: from here no collection starts, by itself or by gc_collect, until gc_enable has been called as
 * often.  At the heap limit allocations fail without collecting.  The count is one for all threads.  A gc_enable
 * too many is harmless.  From: bdwgc's GC_disable, GC_enable. */
GLEANER_API void gc_enable(void) GLEANER_NOTHROW;
GLEANER_API void gc_disable(void) GLEANER_NOTHROW;

/* How many collections have been completed.  From: bdwgc's GC_get_gc_no. */
GLEANER_API unsigned long gc_collections(void) GLEANER_NOTHROW GLEANER_WARN_UNUSED;


/* ---- Roots and pins -------------------------------------------------------------------------------------------- */

/* Announces [begin, end) as roots; whole aligned words of it are searched in each collection.  The memory must stay
 * readable until gc_root_remove with the same bounds.  Removed as often as added.
 * Result: 0; EINVAL when the range is empty, ends before it begins or begins at NULL, or the range to remove was not
 * added; ENOMEM.
 * From: bdwgc's GC_add_roots, GC_remove_roots. */
GLEANER_API int gc_root_add(const void *begin, const void *end) GLEANER_NOTHROW GLEANER_WARN_UNUSED;
GLEANER_API int gc_root_remove(const void *begin, const void *end) GLEANER_NOTHROW;

/* Keeps the object that starts at `p`, and all it reaches, until it is unpinned as often as it was pinned.  For an
 * address that the collector cannot see: held by the kernel, by a device, in compressed form.
 * Result: 0; EINVAL when `p` is not the start of an object in use, or is not pinned; ENOMEM. */
GLEANER_API int gc_pin(void *p) GLEANER_NOTHROW GLEANER_WARN_UNUSED;
GLEANER_API int gc_unpin(void *p) GLEANER_NOTHROW;


/* ---- Threads --------------------------------------------------------------------------------------------------- */

/* Makes the calling thread known, so that its stack and thread-local storage are searched.  Optional: its first use
 * of any gc_ function does it.  A thread that only carries addresses and never calls gleaner registers first.
 * Result: 0, also when it is known already; ENOMEM. */
GLEANER_API int gc_thread_register(void) GLEANER_NOTHROW;

/* Forgets the calling thread: from here its stack and thread-local storage hold nothing.  Optional: a thread that
 * ends is forgotten by itself, after its last destructor has run.  A later use makes it known again.
 * Result: 0; EINVAL when it is not known; EBUSY while it runs a fiber other than its own stack. */
GLEANER_API int gc_thread_unregister(void) GLEANER_NOTHROW;

/* Runs fn(data) and returns its result; meanwhile the thread counts as stopped: collections neither wait for it nor
 * send it a signal, so a system call in fn is not interrupted by us.  The stack of the caller is searched as it was
 * at the call; fn must not read or write collected memory, and neither must a signal handler that runs meanwhile.  A
 * call of gleaner that allocates, frees or collects, in fn or in such a handler, ends the state: the thread counts as
 * running from then on.  gc_blocking within gc_blocking changes nothing.
 *
 * May leave, also by cancellation, and by siglongjmp out of a signal handler; the state ends before the jump does,
 * which waits for a collection that runs.  A longjmp that stays within fn keeps it.  A jump is seen by its name in
 * libc (longjmp, _longjmp, siglongjmp): gleaner is to be linked or preloaded, not opened by dlopen.  What switches
 * stacks otherwise (setcontext, swapcontext, __builtin_longjmp, assembly) must not leave fn.
 * From: bdwgc's GC_do_blocking. */
GLEANER_API void *gc_blocking(gc_blocking_fn fn, void *data) GLEANER_NONNULL(1);


/* ---- Fibers ---------------------------------------------------------------------------------------------------- */

/* Fibers, coroutines, green threads: stacks that the program switches between by itself, by swapcontext, Boost.Context,
 * or a few lines of assembly.  The collector must know them: an object whose only address lies on a stack that no thread
 * stands on is reclaimed otherwise.  (With the malloc door all mapped stacks are searched anyway, whole; known ones are
 * searched as far as they are used.)
 *
 * A fiber either runs, on one thread, or is parked: then the used part of its stack, from where gc_fiber_switch parked
 * it to its end, is searched word by word, and nothing else.  A collection's time follows the used parts: a large stack
 * costs nothing.  A fiber that a thread runs is always searched, from its stack pointer.
 *
 * The stack may be any memory: from mmap, static, gc_malloc_atomic, malloc.  It must stay readable and the fiber's alone
 * from gc_fiber_new until gc_fiber_free, or until the fiber's finalizer runs.  gc_malloc_atomic suits fibers that are
 * objects: it lives as long as the fiber, and is never searched otherwise.  A stack that makes up a searched object
 * (gc_malloc; with the malloc door malloc), but for a page at its start, is not searched as an object either; one
 * that is a smaller part of such an object is searched with it.  Nor is a stack in static data searched as that.
 *
 * A parked stack is a root, and may be one for long.  An address on it that is the start of an object therefore keeps the
 * object that ends there as well (see One past the end), and all that this one leads to: of a long chain whose other parts
 * were dropped, one neighbour too many keeps the rest.  An object with a layout (gc_malloc_typed) is never kept so.  An
 * address inside an object, or the start with a tag in its low bits, keeps that object alone; and so does any word in a
 * heap object: keep an interpreter's own stack in one.
 *
 * Finalizers run on the stack of the fiber that the thread runs, and so does the handler of the stop signal if the thread
 * has no alternate signal stack; a collection takes little of it and works on a stack of its own.  Give a fiber 16 KiB or
 * more.
 *
 * A fiber parked by one thread may go on on another; a thread's own stack is a fiber that only this thread may switch
 * to.  Leave a fiber by gc_fiber_switch only, also for the last time.  One that is left otherwise (by a context's
 * uc_link, by an exception) may lead back to the thread's own stack; it is then lost: searched whole, and good for
 * nothing but gc_fiber_free.  So is a fiber whose thread ends while it runs it, and in the child of a fork one that
 * another thread ran.  Exceptions and longjmp within a fiber are as anywhere.  gc_blocking may be used on a fiber; a
 * switch within it ends the state. */

/* Makes a fiber known whose stack is [stack, stack + size).  It is parked, at `sp`: what lies from there to the end
 * (arguments, a first frame) is searched until it runs; NULL is the end, nothing lies there yet.  The program
 * prepares the stack itself, before or after.  `data` lives as long as the fiber; arguments that makecontext keeps in
 * its ucontext_t are not seen, so pass them there.
 *   GC_FIBER_ROOT    what the parked fiber holds lives until gc_fiber_free, whether the handle is kept or not.
 *   GC_FIBER_OBJECT  the handle is a collected object, and what the parked fiber holds lives as long as something else
 *                    reaches the handle: a forgotten coroutine is garbage, also when its own stack holds the handle.
 *                    A finalizer set on the handle (gc_finalizer_set) may give the stack's memory back.
 * The handle of either may be stored wherever other addresses are.
 * Errors: NULL and EINVAL when the stack is NULL or has no bytes, `sp` lies outside, or the life is none of these; NULL
 * and ENOMEM (no handler is called).
 * From: Boost.Context's stack_context; what is searched, from bdwgc's GC_set_stackbottom. */
GLEANER_API gc_fiber *gc_fiber_new(void *stack, size_t size, void *sp, void *data, enum gc_fiber_life life)
    GLEANER_NOTHROW GLEANER_WARN_UNUSED;

/* The fiber that the calling thread runs: one of gc_fiber_new, or the one that its own stack is, which belongs to the
 * thread and ends with it.
 * Errors: NULL and EINVAL on a stack that is neither (a signal handler's), NULL and ENOMEM. */
GLEANER_API gc_fiber *gc_fiber_current(void) GLEANER_NOTHROW GLEANER_WARN_UNUSED;

/* Parks the calling fiber, makes `to` the one that the calling thread runs, and calls jump(data), which must go on on
 * the stack of `to`: for the first time at its start, later where the last jump from it was made.  Returns when a later
 * switch has come back.  The caller's registers and `data` are searched while it is parked; whatever else `jump` itself
 * keeps in variables is not.  A few nanoseconds beside the jump; no lock.  After it, a thread-local variable may be
 * another thread's: read it again.
 * Errors: none.  These abort with a message: `to` runs already, on whichever thread; it is another thread's own stack; it
 * was freed, or lost, or is no fiber; the calling thread stands on a stack that is no fiber, or that it came to without a
 * switch.  Two threads that switch to one fiber at the same time are a race, which need not be noticed. */
GLEANER_API void gc_fiber_switch(gc_fiber *to, gc_fiber_jump jump, void *data) GLEANER_NONNULL(1) GLEANER_NONNULL(2);

/* Ends a fiber that is parked, was never started, or is lost; NULL is nothing.  It holds nothing any more, and the
 * memory of its stack may be used otherwise.  The handle goes as collected objects do, when nothing points to it.
 * Errors: none; a fiber that runs, a thread's own stack, what was freed before or is no fiber aborts with a message. */
GLEANER_API void gc_fiber_free(gc_fiber *fiber) GLEANER_NOTHROW;


/* ---- Finalizers ------------------------------------------------------------------------------------------------ */

/* Has fn(object, data) called once, after `object` (the start of an object) has become unreachable.  A finalizer set
 * before is replaced.  `data` is kept alive; if it reaches `object`, the object never dies.  An object held by
 * nothing but its own fields, or its own finalizer, is unreachable.
 *   GC_FINALIZER_ORDERED     not before every object with a finalizer that reaches this one has been finalized; a
 *                            reference to itself does not count.  Objects on a cycle of two or more hold each other
 *                            back: none of them is finalized or reclaimed; the statistics count them.
 *   GC_FINALIZER_UNORDERED   as soon as it is unreachable but for objects with finalizers.
 *   GC_FINALIZER_UNREACHABLE only when no object whose finalizer is about to run reaches it either.
 * The object and all it reaches are intact while fn runs.  If fn stores the object where a root reaches it, it
 * lives on; it is not finalized again unless a finalizer is set again.
 * Finalizers run on a thread that allocates, in a later allocation, or at the end of gc_collect, or in
 * gc_finalizers_run; outside all locks, one after another, at most one level deep.  One that leaves leaves the rest
 * ready.  None runs at exit, nor in an allocation that the C library makes for itself (in strdup, in dlopen).
 * An uncollectable or pinned object never becomes unreachable.
 * Result: 0; EINVAL when `object` is not the start of an object in use, fn is NULL, or the order is none of these;
 * ENOMEM.
 * From: bdwgc's GC_register_finalizer family (Java's order included). */
GLEANER_API int gc_finalizer_set(void *object, gc_finalizer_fn fn, void *data, enum gc_finalizer_order order)
    GLEANER_NOTHROW GLEANER_WARN_UNUSED;

/* Takes the object's finalizer away.
 * Result: 0; EINVAL when it has none. */
GLEANER_API int gc_finalizer_clear(void *object) GLEANER_NOTHROW;

/* Runs the finalizers that are ready, here and now; for option finalizers=manual, and harmless otherwise.  Called
 * by a finalizer it runs none.
 * Result: how many ran.  From: bdwgc's GC_invoke_finalizers. */
GLEANER_API size_t gc_finalizers_run(void);


/* ---- Weak cells and ephemerons --------------------------------------------------------------------------------- */

/* A cell that holds `object` (its start) without keeping it, and turns NULL when it dies.
 *   GC_WEAK_SHORT  cleared when the object becomes unreachable, before its finalizer can bring it back.
 *   GC_WEAK_LONG   cleared when the object is really gone, after its finalizer has run and did not bring it back.
 * The caller owns the cell and ends it with gc_weak_unregister.  The cell itself is not collected memory and keeps
 * nothing; it may be stored anywhere.
 * Errors: NULL and EINVAL when `object` is not the start of an object in use or the kind is none of these, NULL and
 * ENOMEM (no handler is called).
 * From: bdwgc's disappearing links, short and long. */
GLEANER_API gc_weak *gc_weak_register(void *object, enum gc_weak_kind kind) GLEANER_NOTHROW GLEANER_WARN_UNUSED;

/* Ends a cell; NULL is nothing.  No thread may use it any more. */
GLEANER_API void gc_weak_unregister(gc_weak *weak) GLEANER_NOTHROW;

/* The object of the cell, or NULL when it has died.  One load, no lock; the result is an ordinary reference that
 * keeps the object from here on. */
GLEANER_API void *gc_weak_get(const gc_weak *weak) GLEANER_NOTHROW GLEANER_NONNULL(1) GLEANER_WARN_UNUSED;

/* An ephemeron, itself a collected object: keeps `value` as long as both it and `key` are reachable, the key by a
 * path that does not lead through this value.  It does not keep the key.  `value` may be any address or word.  A
 * key that is not an object of ours never dies.
 * Errors: NULL and ENOMEM.  From: Hayes, "Ephemerons: a new finalization mechanism" (OOPSLA 1997). */
GLEANER_API gc_ephemeron *gc_ephemeron_new(void *key, void *value) GLEANER_WARN_UNUSED;

/* Key and value; both NULL once the key has died. */
GLEANER_API void *gc_ephemeron_key(const gc_ephemeron *e) GLEANER_NOTHROW GLEANER_NONNULL(1) GLEANER_WARN_UNUSED;
GLEANER_API void *gc_ephemeron_value(const gc_ephemeron *e) GLEANER_NOTHROW GLEANER_NONNULL(1) GLEANER_WARN_UNUSED;


/* ---- Weak objects, to build weak tables on --------------------------------------------------------------------- */

/* An object of which each aligned word holds weakly: it keeps nothing, and when the object that it points into dies, the
 * word becomes NULL, or the tombstone.  Zeroed, of any size, read and written like any memory.  Words that point into no
 * object of ours (numbers, tagged values, static data) are left alone; any address inside an object, tagged ones
 * too, counts as that object's.
 * Words are cleared when the object becomes unreachable, before its finalizer can bring it back (as GC_WEAK_SHORT): a
 * table of values does not hand out what is about to be finalized.  In a weak object that only finalizers' objects reach
 * they stay as long as the object is there.
 * An address that was read from it is an ordinary reference, and keeps its object from there on: nothing is cleared
 * between the load and its use.  An object that the program frees by hand, or that gc_realloc moves, is to be taken out
 * first: its address stays behind as in any memory.  Words in several threads' use need the program's own locks.
 * gc_free and gc_realloc may be used; the latter keeps tombstone and count.
 * Errors: NULL and ENOMEM.  From: Lua's tables with weak values; Scheme's weak vectors. */
GLEANER_API void *gc_malloc_weak(size_t size) GLEANER_MALLOC GLEANER_ALLOC_SIZE(1) GLEANER_WARN_UNUSED;

/* An array of `pairs` ephemerons, each as gc_ephemeron_new's: keeps the value as long as the array and the key are
 * reachable, the key by a path that does not lead through this value.  When the key dies, it becomes NULL, or the
 * tombstone, and the value NULL.  Zeroed; the program sets keys and values as it likes, the value first or while it holds
 * both.  A pair whose key is NULL keeps nothing, and its value is left alone; a key that points into no object never
 * dies; any address inside an object counts as that object's.
 * A key that only a finalizer's object or the finalizer itself holds has not died yet (as GC_WEAK_LONG), and leads to
 * its value there.  Everything else as for gc_malloc_weak; gc_usable_size(array) / sizeof(gc_pair) is the room there is.
 * A collection takes time in proportion to the pairs, however long the chains that they make.
 * Errors: NULL and ENOMEM.  From: Lua's tables with weak keys; Scheme's weak hash tables; Java's WeakHashMap. */
GLEANER_API gc_pair *gc_malloc_ephemerons(size_t pairs) GLEANER_WARN_UNUSED;

/* What words of this weak object become when they die, keys for an array of ephemerons: any word that points into no
 * object, for example the mark of a deleted place in a hash table with open addressing, whose searches have to go on
 * there.  NULL at first; concerns those that die from now on.
 * Result: 0; EINVAL when `weak` is not the start of a weak object. */
GLEANER_API int gc_weak_tombstone_set(void *weak, void *tombstone) GLEANER_NOTHROW;

/* How many words or pairs of this weak object have died so far: when it has grown, a hash table has places to reuse.
 * Result: 0 also when `weak` is not the start of a weak object. */
GLEANER_API size_t gc_weak_died(const void *weak) GLEANER_NOTHROW GLEANER_WARN_UNUSED;


/* ---- Limits and handlers --------------------------------------------------------------------------------------- */

/* Limits the heap (gc_stats.bytes_heap) to `bytes`; 0 is no limit.  An allocation that would pass it collects, then
 * fails.  A limit below what is in use takes nothing away: it only refuses growth.
 * From: bdwgc's GC_set_max_heap_size. */
GLEANER_API void gc_heap_limit_set(size_t bytes) GLEANER_NOTHROW;

/* Sets the handler for allocations that find no memory, even after collecting; NULL takes it away.  It runs on the
 * allocating thread with the size asked for.  `data` is kept alive.  It is asked for sizes above PTRDIFF_MAX too, but
 * for those of gc_memalign; these, overflow in gc_calloc and bad alignments fail without it.  For a gc_realloc that fails, the old object stays whole and its
 * contents are not copied into the handler's memory.
 * From: bdwgc's GC_set_oom_fn; C++'s new_handler. */
GLEANER_API void gc_oom_handler_set(gc_oom_handler handler, void *data) GLEANER_NOTHROW;

/* Sets the handler for warnings; NULL brings back the default, which writes to standard error when option verbose=1.
 * `data` is kept alive.  From: bdwgc's GC_set_warn_proc. */
GLEANER_API void gc_warn_handler_set(gc_warn_handler handler, void *data) GLEANER_NOTHROW;


/* ---- Watching -------------------------------------------------------------------------------------------------- */

/* Fills the first stats->size bytes of *stats (size and version included) with the figures of this moment; a caller
 * compiled with another version of the structure gets the fields that both know, and zero in those that only it
 * knows.
 * Result: 0; EINVAL when stats->size does not reach beyond `version`. */
GLEANER_API int gc_stats_get(gc_stats *stats) GLEANER_NOTHROW GLEANER_NONNULL(1);

/* Writes the same figures as one JSON object, named as the fields, into `buffer`: at most `length` bytes,
 * terminated when length is not 0.  `buffer` may be NULL when length is 0.
 * Result: the length of the whole text without its terminator.  From: C99 snprintf. */
GLEANER_API size_t gc_stats_json(char *buffer, size_t length) GLEANER_NOTHROW;

/* Sets the listener for the events of collections; NULL takes it away.  There is one.  `data` is kept alive.
 * The five events of a collection come in order, on the thread that collected, after the world has been resumed.
 * The listener may itself collect: the events of that collection come after it has returned.  If it leaves by an
 * exception or longjmp, the events that are left come before the end of a later allocation or collection of the same
 * thread, in order; a thread that ends takes its events along. */
GLEANER_API void gc_event_listener_set(gc_event_listener listener, void *data) GLEANER_NOTHROW;


#ifdef __cplusplus
}
#endif

#endif
