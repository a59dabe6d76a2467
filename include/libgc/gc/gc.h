/* gc.h -- the functions of libgc.so.1, as bdwgc 8.2 has them, for C and C++.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A program that includes this header links with -lgc, and runs on this collector's libgc.so.1 or on bdwgc's.  An object
 * lives as long as a pointer to it is found in a register, on a stack, in static data, in a range of GC_add_roots, or in an
 * object that lives itself; pointers are found at addresses that are multiples of 8.  On this collector also in
 * thread-local storage, and without any registration of threads.
 *
 * Macros that a program defines before it includes this header:
 *
 *   GC_THREADS     it has threads; the functions for them are declared and pthread_create and its kin are redirected
 *   GC_DEBUG       GC_MALLOC and the other macros in capitals call the functions for debugging, which keep file and line
 *   GC_INITIAL_HEAP_SIZE, GC_MAXIMUM_HEAP_SIZE, GC_FREE_SPACE_DIVISOR, ...      what GC_INIT() sets, see there
 *
 * Every function may be called from any thread unless it says otherwise.  A variable that has a pair of functions is the
 * older way to do the same.
 */
#ifndef GC_H
#define GC_H

#include "gc_version.h"
#include "gc_config_macros.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef void *GC_PTR;
/* As wide as a pointer. */
typedef unsigned long GC_word;
typedef long GC_signed_word;

/* What functions answer.  Two pairs share a number; no function can answer both. */
#define GC_SUCCESS 0
#define GC_DUPLICATE 1
#define GC_NO_THREADS 2
#define GC_NO_MEMORY 2
#define GC_UNIMPLEMENTED 3
#define GC_NOT_FOUND 4

/* GC_VERSION_MAJOR << 16 | GC_VERSION_MINOR << 8 | GC_VERSION_MICRO of the library that the program runs on. */
GC_API unsigned GC_CALL GC_get_version(void);

/* ---- Start and end ---------------------------------------------------------------------------------------------- */

/* Starts the collector.  Best called first, by GC_INIT(); else the first allocation does it. */
GC_API void GC_CALL GC_init(void);
GC_API int GC_CALL GC_is_init_called(void);
GC_API void GC_CALL GC_deinit(void);

/* ---- Allocation --------------------------------------------------------------------------------------------------
 *
 * Objects are aligned to 16 bytes; a size of 0 is one of 1.  Without memory the result is what GC_oom_fn returns.  See also
 * the macros in capitals, below.
 */

/* An object full of zeros that is searched for pointers. */
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_malloc(size_t);
/* An object that is not searched, with arbitrary content. */
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_malloc_atomic(size_t);
/* The same two for big objects to which a pointer into the first 256 bytes will be kept: one beyond the first 4,096 keeps
 * none, wherever it lies. */
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_malloc_ignore_off_page(size_t);
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_malloc_atomic_ignore_off_page(size_t);
/* The same two for objects that live until GC_free: what the first one points to lives too. */
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_malloc_uncollectable(size_t);
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_malloc_atomic_uncollectable(size_t);
/* As the C library's. The alignment is a power of two and comes first. */
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(2) void *GC_CALL GC_memalign(size_t, size_t);
GC_API int GC_CALL GC_posix_memalign(void **, size_t, size_t) GC_ATTR_NONNULL(1);
/* Copies of a string, at most so many bytes of it, that are not searched. */
GC_API GC_ATTR_MALLOC char *GC_CALL GC_strdup(const char *);
GC_API GC_ATTR_MALLOC char *GC_CALL GC_strndup(const char *, size_t) GC_ATTR_NONNULL(1);
#ifdef GC_REQUIRE_WCSDUP
/* No library of Debian's has it, nor this one. */
GC_API GC_ATTR_MALLOC wchar_t *GC_CALL GC_wcsdup(const wchar_t *) GC_ATTR_NONNULL(1);
#endif
/* Objects as of GC_malloc, linked through their first words: GC_NEXT. */
GC_API GC_ATTR_MALLOC void *GC_CALL GC_malloc_many(size_t);
#define GC_NEXT(p) (*(void **)(p))

/* The object with another size, perhaps at another place; of the same kind as it was.  Finalizers and links stay behind. */
GC_API void *GC_CALL GC_realloc(void *, size_t) GC_ATTR_ALLOC_SIZE(2);
/* Ends an object before the collector would.  NULL is accepted. */
GC_API void GC_CALL GC_free(void *);

/* Objects that the program promised not to change: today the same as others. */
GC_API GC_ATTR_DEPRECATED void *GC_CALL GC_malloc_stubborn(size_t);
GC_API GC_ATTR_DEPRECATED void GC_CALL GC_change_stubborn(const void *);

/* ---- Questions about objects ------------------------------------------------------------------------------------- */

/* The start of the object that an address lies in; NULL if it lies in none. */
GC_API void *GC_CALL GC_base(void *);
GC_API int GC_CALL GC_is_heap_ptr(const void *);
/* How many bytes there are in the object that begins there: at least as many as were asked for. */
GC_API size_t GC_CALL GC_size(const void *) GC_ATTR_NONNULL(1);
/* How many bytes the object of a request for so many has; all ones if that is no small one. */
GC_API size_t GC_CALL GC_get_size_map_at(int i);

/* ---- When there is no memory --------------------------------------------------------------------------------------
 *
 * Called with the size of the request, with no lock held; what it returns is what the program gets.  It may throw, and it may
 * leave by longjmp.  At first it returns NULL.
 */
typedef void *(GC_CALLBACK *GC_oom_func)(size_t);
GC_API GC_ATTR_DEPRECATED GC_oom_func GC_oom_fn;
GC_API void GC_CALL GC_set_oom_fn(GC_oom_func) GC_ATTR_NONNULL(1);
GC_API GC_oom_func GC_CALL GC_get_oom_fn(void);
/* Ends the process with a message. */
GC_API void GC_CALL GC_abort_on_oom(void);

/* ---- Collections --------------------------------------------------------------------------------------------------
 *
 * Collections come by themselves, from allocations.
 */
GC_API void GC_CALL GC_gcollect(void);
/* And gives back to the system what is free. */
GC_API void GC_CALL GC_gcollect_and_unmap(void);
GC_API void GC_CALL GC_set_force_unmap_on_gcollect(int);
GC_API int GC_CALL GC_get_force_unmap_on_gcollect(void);
/* A part of one, where there are parts; the answer says whether there is more to do. */
GC_API int GC_CALL GC_collect_a_little(void);
GC_API void GC_CALL GC_start_incremental_collection(void);
/* A collection that ends early, answering 0, once the function answers other than 0; it may be called at any time. */
typedef int(GC_CALLBACK *GC_stop_func)(void);
GC_API int GC_CALL GC_try_to_collect(GC_stop_func) GC_ATTR_NONNULL(1);
/* The same for the collections that come by themselves. */
GC_API void GC_CALL GC_set_stop_func(GC_stop_func) GC_ATTR_NONNULL(1);
GC_API GC_stop_func GC_CALL GC_get_stop_func(void);

/* No collections at all until there were as many calls of the second as of the first. */
GC_API void GC_CALL GC_disable(void);
GC_API void GC_CALL GC_enable(void);
GC_API int GC_CALL GC_is_disabled(void);
/* How many calls are missing. */
GC_API
#ifndef GC_DONT_GC
GC_ATTR_DEPRECATED
#endif
int GC_dont_gc;
/* No collections but those that the program asks for. */
GC_API void GC_CALL GC_set_disable_automatic_collection(int);
GC_API int GC_CALL GC_get_disable_automatic_collection(void);

/* How many there have been. */
GC_API GC_ATTR_DEPRECATED GC_word GC_gc_no;
GC_API GC_word GC_CALL GC_get_gc_no(void);

/* What happens is told with locks held: the function must not allocate.  From POST_STOP_WORLD to PRE_START_WORLD the world
 * stands still.  The last two go to the function of GC_set_on_thread_event.
 */
typedef enum {
    GC_EVENT_START,
    GC_EVENT_MARK_START,
    GC_EVENT_MARK_END,
    GC_EVENT_RECLAIM_START,
    GC_EVENT_RECLAIM_END,
    GC_EVENT_END,
    GC_EVENT_PRE_STOP_WORLD,
    GC_EVENT_POST_STOP_WORLD,
    GC_EVENT_PRE_START_WORLD,
    GC_EVENT_POST_START_WORLD,
    GC_EVENT_THREAD_SUSPENDED,
    GC_EVENT_THREAD_UNSUSPENDED
} GC_EventType;
typedef void(GC_CALLBACK *GC_on_collection_event_proc)(GC_EventType);
GC_API void GC_CALL GC_set_on_collection_event(GC_on_collection_event_proc);
GC_API GC_on_collection_event_proc GC_CALL GC_get_on_collection_event(void);

/* ---- How often, and how much --------------------------------------------------------------------------------------
 *
 * The higher the divisor, the smaller the heap and the more collections.
 */
GC_API GC_ATTR_DEPRECATED GC_word GC_free_space_divisor;
GC_API void GC_CALL GC_set_free_space_divisor(GC_word);
GC_API GC_word GC_CALL GC_get_free_space_divisor(void);
/* This library goes by its own figures instead of the next three and of GC_max_retries and GC_dont_expand, which it only
 * stores.  At least so many bytes are allocated between two collections. */
GC_API void GC_CALL GC_set_min_bytes_allocd(size_t);
GC_API size_t GC_CALL GC_get_min_bytes_allocd(void);
/* Bytes of uncollectable objects that do not count. */
GC_API GC_ATTR_DEPRECATED GC_word GC_non_gc_bytes;
GC_API void GC_CALL GC_set_non_gc_bytes(GC_word);
GC_API GC_word GC_CALL GC_get_non_gc_bytes(void);
/* For how many bytes a finalizer counts. */
GC_API void GC_CALL GC_set_allocd_bytes_per_finalizer(GC_word);
GC_API GC_word GC_CALL GC_get_allocd_bytes_per_finalizer(void);
/* How often to collect before there is no memory. */
GC_API GC_ATTR_DEPRECATED GC_word GC_max_retries;
GC_API void GC_CALL GC_set_max_retries(GC_word);
GC_API GC_word GC_CALL GC_get_max_retries(void);
/* Makes the heap bigger by so many bytes, of which memory is taken when they are used; other than 0 on success. */
GC_API int GC_CALL GC_expand_hp(size_t);
/* The heap does not grow beyond so many bytes; 0: as far as there is memory. */
GC_API void GC_CALL GC_set_max_heap_size(GC_word);
/* Other than 0: it does not grow unless there is no other way. */
GC_API GC_ATTR_DEPRECATED int GC_dont_expand;
GC_API void GC_CALL GC_set_dont_expand(int);
GC_API int GC_CALL GC_get_dont_expand(void);
GC_API GC_ATTR_DEPRECATED int GC_use_entire_heap;
/* Other than 0: GC_init does not collect. */
GC_API GC_ATTR_DEPRECATED int GC_dont_precollect;
GC_API void GC_CALL GC_set_dont_precollect(int);
GC_API int GC_CALL GC_get_dont_precollect(void);
/* Other than 0: what objects contain may be executed, in those there are, too.  GC_INIT's caller sets it before, for bdwgc
 * heeds it for new pages only.  Where the system refuses, it stays as it was. */
GC_API void GC_CALL GC_set_pages_executable(int);
GC_API int GC_CALL GC_get_pages_executable(void);
/* Called with the size of the heap when that has changed, with locks held. */
typedef void(GC_CALLBACK *GC_on_heap_resize_proc)(GC_word);
GC_API GC_ATTR_DEPRECATED GC_on_heap_resize_proc GC_on_heap_resize;
GC_API void GC_CALL GC_set_on_heap_resize(GC_on_heap_resize_proc);
GC_API GC_on_heap_resize_proc GC_CALL GC_get_on_heap_resize(void);

/* ---- Collecting in steps, or what is young ------------------------------------------------------------------------
 *
 * Asking for it is accepted; GC_is_incremental_mode says whether it is done.
 */
GC_API void GC_CALL GC_enable_incremental(void);
GC_API int GC_CALL GC_is_incremental_mode(void);
/* Which memory is write-protected meanwhile: a system call that stores there fails. */
#define GC_PROTECTS_NONE 0
#define GC_PROTECTS_POINTER_HEAP 1
#define GC_PROTECTS_PTRFREE_HEAP 2
#define GC_PROTECTS_STATIC_DATA 4
#define GC_PROTECTS_STACK 8
GC_API int GC_CALL GC_incremental_protection_needs(void);
/* Other than 0, before GC_init: the program tells each store of a pointer, by the functions that follow. */
GC_API void GC_CALL GC_set_manual_vdb_allowed(int);
GC_API int GC_CALL GC_get_manual_vdb_allowed(void);
/* The object was changed. */
GC_API void GC_CALL GC_end_stubborn_change(const void *) GC_ATTR_NONNULL(1);
/* Stores the second at the place that is the first. */
GC_API void GC_CALL GC_ptr_store_and_dirty(void *, const void *);
/* Milliseconds that a step may take.  The last pair adds nanoseconds. */
#define GC_TIME_UNLIMITED 999999
GC_API GC_ATTR_DEPRECATED unsigned long GC_time_limit;
GC_API void GC_CALL GC_set_time_limit(unsigned long);
GC_API unsigned long GC_CALL GC_get_time_limit(void);
struct GC_timeval_s {
    unsigned long tv_ms;
    unsigned long tv_nsec;
};
GC_API void GC_CALL GC_set_time_limit_tv(struct GC_timeval_s);
GC_API struct GC_timeval_s GC_CALL GC_get_time_limit_tv(void);
/* So many partial collections between two full ones. */
GC_API GC_ATTR_DEPRECATED int GC_full_freq;
GC_API void GC_CALL GC_set_full_freq(int);
GC_API int GC_CALL GC_get_full_freq(void);
/* How much a step does, and how often it is tried to end in time. */
GC_API void GC_CALL GC_set_rate(int);
GC_API int GC_CALL GC_get_rate(void);
GC_API void GC_CALL GC_set_max_prior_attempts(int);
GC_API int GC_CALL GC_get_max_prior_attempts(void);

/* ---- Figures, in bytes where nothing else is said ----------------------------------------------------------------- */

GC_API size_t GC_CALL GC_get_heap_size(void);
GC_API size_t GC_CALL GC_get_free_bytes(void);
GC_API size_t GC_CALL GC_get_unmapped_bytes(void);
/* Allocated, and freed by GC_free, since the last collection; and allocated since the start. */
GC_API size_t GC_CALL GC_get_bytes_since_gc(void);
GC_API size_t GC_CALL GC_get_expl_freed_bytes_since_gc(void);
GC_API size_t GC_CALL GC_get_total_bytes(void);
GC_API size_t GC_CALL GC_get_obtained_from_os_bytes(void);
GC_API size_t GC_CALL GC_get_memory_use(void);
/* Size of the heap, free, unmapped, allocated since the last collection, allocated in all: of one moment.  Each may be NULL. */
GC_API void GC_CALL GC_get_heap_usage_safe(GC_word *, GC_word *, GC_word *, GC_word *, GC_word *);
struct GC_prof_stats_s {
    GC_word heapsize_full; /* with what is unmapped */
    GC_word free_bytes_full;
    GC_word unmapped_bytes;
    GC_word bytes_allocd_since_gc;
    GC_word allocd_bytes_before_gc; /* until the last collection */
    GC_word non_gc_bytes;
    GC_word gc_no;
    GC_word markers_m1; /* threads that help to mark */
    GC_word bytes_reclaimed_since_gc;
    GC_word reclaimed_bytes_before_gc;
    GC_word expl_freed_bytes_since_gc;
    GC_word obtained_from_os_bytes;
};
/* Fills as much as the size in bytes says; returns how much it has filled.  What is not known is all ones. */
GC_API size_t GC_CALL GC_get_prof_stats(struct GC_prof_stats_s *, size_t);
#ifdef GC_THREADS
/* While the world stands still. */
GC_API size_t GC_CALL GC_get_prof_stats_unsafe(struct GC_prof_stats_s *, size_t);
#endif
/* From the first call on, the milliseconds of all full collections are added up. */
GC_API void GC_CALL GC_start_performance_measurement(void);
GC_API unsigned long GC_CALL GC_get_full_gc_total_time(void);

/* ---- Where pointers are looked for, and what is one --------------------------------------------------------------- */

/* A range, from its first byte to the one past it, is searched, or no longer.
 *
 * All stacks and all thread-local storage always are.  Where libgleaner_malloc.so is preloaded all writable memory is, but
 * for what is obtained from the collector, and only GC_add_roots, GC_remove_roots and GC_clear_roots have an effect. */
GC_API void GC_CALL GC_add_roots(void *, void *);
GC_API void GC_CALL GC_remove_roots(void *, void *);
/* No range is searched, and no static data until the next collection finds it again: see GC_no_dls. */
GC_API void GC_CALL GC_clear_roots(void);
/* A part of static data is not searched; all of it is again. */
GC_API void GC_CALL GC_exclude_static_roots(void *, void *);
GC_API void GC_CALL GC_clear_exclusion_table(void);
/* Other than 0, before GC_init: static data of libraries is not looked for. */
GC_API GC_ATTR_DEPRECATED int GC_no_dls;
GC_API void GC_CALL GC_set_no_dls(int);
GC_API int GC_CALL GC_get_no_dls(void);
/* Asked about a library's name, a segment of it and its bytes: 0 if that is not to be searched. */
typedef int(GC_CALLBACK *GC_has_static_roots_func)(const char *, void *, size_t);
GC_API void GC_CALL GC_register_has_static_roots_callback(GC_has_static_roots_func);

/* Other than 0, as it is at first: any address in an object keeps it.  0, before GC_init: in objects and static data only its
 * start does, and an address as many bytes further as was registered, below 4,096; on stacks, in registers, in what
 * GC_add_roots was told, in thread-local storage and as data of finalizers any address.  Where libgleaner_malloc.so is
 * preloaded any address keeps one, everywhere.
 */
GC_API GC_ATTR_DEPRECATED int GC_all_interior_pointers;
GC_API void GC_CALL GC_set_all_interior_pointers(int);
GC_API int GC_CALL GC_get_all_interior_pointers(void);
GC_API void GC_CALL GC_register_displacement(size_t);
GC_API void GC_CALL GC_debug_register_displacement(size_t);

/* A pointer that the collector does not see, and back. */
typedef GC_word GC_hidden_pointer;
#define GC_HIDE_POINTER(p) (~(GC_hidden_pointer)(p))
#define GC_REVEAL_POINTER(p) ((void *)GC_HIDE_POINTER(p))
#if defined(GC_I_HIDE_POINTERS) || defined(I_HIDE_POINTERS)
#define HIDE_POINTER(p) GC_HIDE_POINTER(p)
#define REVEAL_POINTER(p) GC_REVEAL_POINTER(p)
#endif

/* Up to here the pointer is in a register or on the stack. */
#ifdef __GNUC__
#define GC_reachable_here(ptr) __asm__ __volatile__(" " : : "X"(ptr) : "memory")
#else
#define GC_reachable_here(ptr) GC_noop1((GC_word)(ptr))
#endif
GC_API void GC_CALL GC_noop1(GC_word);

/* ---- Finalizers ---------------------------------------------------------------------------------------------------
 *
 * A function that is called once with the object, which begins there, and a word of the program's, when the object is no
 * longer reachable; what it refers to is intact.  NULL takes it away.  What was registered before is stored in the last two
 * places unless they are NULL.  Finalizers run on threads that allocate.
 */
typedef void(GC_CALLBACK *GC_finalization_proc)(void *, void *);
/* Only once no other object with a finalizer leads to it, nor the object to itself. */
GC_API void GC_CALL GC_register_finalizer(void *, GC_finalization_proc, void *, GC_finalization_proc *, void **)
    GC_ATTR_NONNULL(1);
/* The same, but the object may lead to itself. */
GC_API void GC_CALL GC_register_finalizer_ignore_self(void *, GC_finalization_proc, void *, GC_finalization_proc *, void **)
    GC_ATTR_NONNULL(1);
/* Whatever it leads to.  It does not hold up others, but any other order in an object that leads to it holds it up. */
GC_API void GC_CALL GC_register_finalizer_no_order(void *, GC_finalization_proc, void *, GC_finalization_proc *, void **)
    GC_ATTR_NONNULL(1);
/* As the first, and only once no object whose finalizer is still to run leads to it either, whatever its order. */
GC_API void GC_CALL GC_register_finalizer_unreachable(void *, GC_finalization_proc, void *, GC_finalization_proc *, void **)
    GC_ATTR_NONNULL(1);

/* Whether any are to run; runs them, and returns how many it were. */
GC_API int GC_CALL GC_should_invoke_finalizers(void);
GC_API int GC_CALL GC_invoke_finalizers(void);
/* Other than 0: they run only there. */
GC_API GC_ATTR_DEPRECATED int GC_finalize_on_demand;
GC_API void GC_CALL GC_set_finalize_on_demand(int);
GC_API int GC_CALL GC_get_finalize_on_demand(void);
/* Called once for a collection that found some to run. */
typedef void(GC_CALLBACK *GC_finalizer_notifier_proc)(void);
GC_API GC_ATTR_DEPRECATED GC_finalizer_notifier_proc GC_finalizer_notifier;
GC_API void GC_CALL GC_set_finalizer_notifier(GC_finalizer_notifier_proc);
GC_API GC_finalizer_notifier_proc GC_CALL GC_get_finalizer_notifier(void);
/* Called with each object whose finalizer is going to run, with locks held. */
typedef void(GC_CALLBACK *GC_await_finalize_proc)(void *);
GC_API void GC_CALL GC_set_await_finalize_proc(GC_await_finalize_proc);
GC_API GC_await_finalize_proc GC_CALL GC_get_await_finalize_proc(void);
/* Other than 0, as it is at first: what an object with a finalizer that is to run leads to counts as reachable. */
GC_API GC_ATTR_DEPRECATED int GC_java_finalization;
GC_API void GC_CALL GC_set_java_finalization(int);
GC_API int GC_CALL GC_get_java_finalization(void);

/* ---- Weak links ---------------------------------------------------------------------------------------------------
 *
 * The word at the first address, where the collector takes nothing for a pointer, becomes 0 when the object that begins at
 * the second is no longer reachable.  Who makes such a word a pointer again does it by GC_call_with_alloc_lock.
 */

/* Before finalizers run.  Of the first of these the word is the address of the object. */
GC_API int GC_CALL GC_register_disappearing_link(void **) GC_ATTR_NONNULL(1);
GC_API int GC_CALL GC_general_register_disappearing_link(void **, const void *) GC_ATTR_NONNULL(1) GC_ATTR_NONNULL(2);
/* From one address to another. */
GC_API int GC_CALL GC_move_disappearing_link(void **, void **) GC_ATTR_NONNULL(2);
/* 1 if it was registered. */
GC_API int GC_CALL GC_unregister_disappearing_link(void **);
/* The same, once finalizers have run and not brought it back. */
GC_API int GC_CALL GC_register_long_link(void **, const void *) GC_ATTR_NONNULL(1) GC_ATTR_NONNULL(2);
GC_API int GC_CALL GC_move_long_link(void **, void **) GC_ATTR_NONNULL(2);
GC_API int GC_CALL GC_unregister_long_link(void **);

/* Objects about which the program is asked at each collection: to hold them, hold them weakly, or forget them. */
typedef enum { GC_TOGGLE_REF_DROP, GC_TOGGLE_REF_STRONG, GC_TOGGLE_REF_WEAK } GC_ToggleRefStatus;
typedef GC_ToggleRefStatus(GC_CALLBACK *GC_toggleref_func)(void *);
GC_API void GC_CALL GC_set_toggleref_func(GC_toggleref_func);
GC_API GC_toggleref_func GC_CALL GC_get_toggleref_func(void);
/* The object, and other than 0 if it is held at first. */
GC_API int GC_CALL GC_toggleref_add(void *, int) GC_ATTR_NONNULL(1);

/* ---- Threads, stacks and the lock --------------------------------------------------------------------------------- */

typedef void *(GC_CALLBACK *GC_fn_type)(void *);
/* Calls the function with the second argument, while no collection begins or clears links.  It must not allocate. */
GC_API void *GC_CALL GC_call_with_alloc_lock(GC_fn_type, void *) GC_ATTR_NONNULL(1);
/* Calls it while collections do not wait for this thread: it touches no object, but may block. */
GC_API void *GC_CALL GC_do_blocking(GC_fn_type, void *) GC_ATTR_NONNULL(1);
/* Calls it from there, and it may use objects. */
GC_API void *GC_CALL GC_call_with_gc_active(GC_fn_type, void *) GC_ATTR_NONNULL(1);

/* Where the oldest frame of a stack is: the address past it. */
struct GC_stack_base {
    void *mem_base;
};
typedef void *(GC_CALLBACK *GC_stack_base_func)(struct GC_stack_base *, void *);
GC_API void *GC_CALL GC_call_with_stack_base(GC_stack_base_func, void *) GC_ATTR_NONNULL(1);
GC_API int GC_CALL GC_get_stack_base(struct GC_stack_base *) GC_ATTR_NONNULL(1);
/* Of the calling thread, as the collector knows it; with a handle of the thread. */
GC_API void *GC_CALL GC_get_my_stackbottom(struct GC_stack_base *) GC_ATTR_NONNULL(1);
/* The thread of the handle, or the calling one if that is NULL, is on another stack from now on. */
GC_API void GC_CALL GC_set_stackbottom(void *, const struct GC_stack_base *) GC_ATTR_NONNULL(2);
/* The same of the first thread. */
GC_API GC_ATTR_DEPRECATED char *GC_stackbottom;

/* How many threads help to mark; the call starts them. */
GC_API void GC_CALL GC_start_mark_threads(void);
#ifdef GC_THREADS
GC_API GC_ATTR_DEPRECATED int GC_parallel;
GC_API int GC_CALL GC_get_parallel(void);
GC_API void GC_CALL GC_set_markers_count(unsigned);

/* Threads that the program has made by other means than GC_pthread_create. */
GC_API void GC_CALL GC_allow_register_threads(void);
GC_API int GC_CALL GC_register_my_thread(const struct GC_stack_base *) GC_ATTR_NONNULL(1);
GC_API int GC_CALL GC_unregister_my_thread(void);
GC_API int GC_CALL GC_thread_is_registered(void);
/* A thread's stack and its bytes, and those of its signal handlers. */
GC_API void GC_CALL GC_register_altstack(void *, GC_word, void *, GC_word);
/* Called with GC_EVENT_THREAD_SUSPENDED or _UNSUSPENDED and the thread's pthread_t. */
typedef void(GC_CALLBACK *GC_on_thread_event_proc)(GC_EventType, void *);
GC_API void GC_CALL GC_set_on_thread_event(GC_on_thread_event_proc);
GC_API GC_on_thread_event_proc GC_CALL GC_get_on_thread_event(void);
/* The signals that stop threads and let them go on.  Before GC_init. */
GC_API void GC_CALL GC_set_suspend_signal(int);
GC_API int GC_CALL GC_get_suspend_signal(void);
GC_API void GC_CALL GC_set_thr_restart_signal(int);
GC_API int GC_CALL GC_get_thr_restart_signal(void);
/* Stops all other threads, and lets them go on. */
GC_API void GC_CALL GC_stop_world_external(void);
GC_API void GC_CALL GC_start_world_external(void);
/* The lock of GC_call_with_alloc_lock. */
GC_API void GC_CALL GC_alloc_lock(void);
GC_API void GC_CALL GC_alloc_unlock(void);
#else
#define GC_alloc_lock() (void)0
#define GC_alloc_unlock() (void)0
#endif

/* Whether fork is prepared for: 1 by itself, -1 by the program's calls of the next three, 0 not.  Before GC_init. */
GC_API void GC_CALL GC_set_handle_fork(int);
GC_API void GC_CALL GC_atfork_prepare(void);
GC_API void GC_CALL GC_atfork_parent(void);
GC_API void GC_CALL GC_atfork_child(void);

/* ---- Messages -----------------------------------------------------------------------------------------------------
 *
 * A format that begins "GC Warning: " and has one conversion, for the word.
 */
typedef void(GC_CALLBACK *GC_warn_proc)(char *, GC_word);
GC_API void GC_CALL GC_set_warn_proc(GC_warn_proc) GC_ATTR_NONNULL(1);
GC_API GC_warn_proc GC_CALL GC_get_warn_proc(void);
/* One that says nothing. */
GC_API void GC_CALLBACK GC_ignore_warn_proc(char *, GC_word);
/* Where goes what is written by GC_log_printf. */
GC_API void GC_CALL GC_set_log_fd(int);
/* Called with a message, or NULL, before the process is aborted. */
typedef void(GC_CALLBACK *GC_abort_func)(const char *);
GC_API void GC_CALL GC_set_abort_func(GC_abort_func) GC_ATTR_NONNULL(1);
GC_API GC_abort_func GC_CALL GC_get_abort_func(void);
/* On stderr or the log: the state, under a name; parts of it. */
GC_API void GC_CALL GC_dump(void);
GC_API void GC_CALL GC_dump_named(const char *);
GC_API void GC_CALL GC_dump_regions(void);
GC_API void GC_CALL GC_dump_finalization(void);
/* Other than 0, before GC_init: what is not reachable and was not freed is reported. */
GC_API GC_ATTR_DEPRECATED int GC_find_leak;
GC_API void GC_CALL GC_set_find_leak(int);
GC_API int GC_CALL GC_get_find_leak(void);

/* ---- Debugging ----------------------------------------------------------------------------------------------------
 *
 * Objects that know where they were allocated, and between whose ends writes are noticed.  Each of these functions takes what
 * its namesake without debug_ does, allocating ones also a file and a line; their objects go to functions of this group only.
 */
#define GC_EXTRA_PARAMS const char *s, int i
#define GC_EXTRAS __FILE__, __LINE__

GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_debug_malloc(size_t, GC_EXTRA_PARAMS);
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_debug_malloc_atomic(size_t, GC_EXTRA_PARAMS);
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_debug_malloc_uncollectable(size_t, GC_EXTRA_PARAMS);
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_debug_malloc_atomic_uncollectable(size_t, GC_EXTRA_PARAMS);
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_debug_malloc_ignore_off_page(size_t, GC_EXTRA_PARAMS);
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_debug_malloc_atomic_ignore_off_page(size_t, GC_EXTRA_PARAMS);
GC_API GC_ATTR_DEPRECATED void *GC_CALL GC_debug_malloc_stubborn(size_t, GC_EXTRA_PARAMS);
GC_API GC_ATTR_MALLOC char *GC_CALL GC_debug_strdup(const char *, GC_EXTRA_PARAMS);
GC_API GC_ATTR_MALLOC char *GC_CALL GC_debug_strndup(const char *, size_t, GC_EXTRA_PARAMS) GC_ATTR_NONNULL(1);
#ifdef GC_REQUIRE_WCSDUP
GC_API GC_ATTR_MALLOC wchar_t *GC_CALL GC_debug_wcsdup(const wchar_t *, GC_EXTRA_PARAMS) GC_ATTR_NONNULL(1);
#endif
GC_API void *GC_CALL GC_debug_realloc(void *, size_t, GC_EXTRA_PARAMS) GC_ATTR_ALLOC_SIZE(2);
GC_API void GC_CALL GC_debug_free(void *);
/* For those who have no file and line. */
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_debug_malloc_replacement(size_t);
GC_API GC_ATTR_ALLOC_SIZE(2) void *GC_CALL GC_debug_realloc_replacement(void *, size_t);
GC_API GC_ATTR_DEPRECATED void GC_CALL GC_debug_change_stubborn(const void *);
GC_API void GC_CALL GC_debug_end_stubborn_change(const void *) GC_ATTR_NONNULL(1);
GC_API void GC_CALL GC_debug_ptr_store_and_dirty(void *, const void *);
GC_API void GC_CALL GC_debug_register_finalizer(void *, GC_finalization_proc, void *, GC_finalization_proc *, void **)
    GC_ATTR_NONNULL(1);
GC_API void GC_CALL GC_debug_register_finalizer_ignore_self(void *, GC_finalization_proc, void *, GC_finalization_proc *,
                                                            void **) GC_ATTR_NONNULL(1);
GC_API void GC_CALL GC_debug_register_finalizer_no_order(void *, GC_finalization_proc, void *, GC_finalization_proc *,
                                                         void **) GC_ATTR_NONNULL(1);
GC_API void GC_CALL GC_debug_register_finalizer_unreachable(void *, GC_finalization_proc, void *, GC_finalization_proc *,
                                                            void **) GC_ATTR_NONNULL(1);

/* Checks: each returns its first argument, or what it has become, when all is well, and else calls the function below. */

/* Both lie in one object. */
GC_API void *GC_CALL GC_same_obj(void *, void *);
/* Moves the pointer by so many bytes inside its object; the result is the pointer after that, or before. */
GC_API void *GC_CALL GC_pre_incr(void **, ptrdiff_t) GC_ATTR_NONNULL(1);
GC_API void *GC_CALL GC_post_incr(void **, ptrdiff_t) GC_ATTR_NONNULL(1);
/* It lies where pointers are looked for. */
GC_API void *GC_CALL GC_is_visible(void *);
/* It keeps the object that it points into. */
GC_API void *GC_CALL GC_is_valid_displacement(void *);
GC_API void(GC_CALLBACK *GC_same_obj_print_proc)(void *, void *);
GC_API void(GC_CALLBACK *GC_is_visible_print_proc)(void *);
GC_API void(GC_CALLBACK *GC_is_valid_displacement_print_proc)(void *);

/* ---- Macros that choose between the functions and those for debugging --------------------------------------------- */

#ifdef GC_DEBUG_REPLACEMENT
#define GC_MALLOC(sz) GC_debug_malloc_replacement(sz)
#define GC_REALLOC(old, sz) GC_debug_realloc_replacement(old, sz)
#elif defined(GC_DEBUG)
#define GC_MALLOC(sz) GC_debug_malloc(sz, GC_EXTRAS)
#define GC_REALLOC(old, sz) GC_debug_realloc(old, sz, GC_EXTRAS)
#else
#define GC_MALLOC(sz) GC_malloc(sz)
#define GC_REALLOC(old, sz) GC_realloc(old, sz)
#endif

#ifdef GC_DEBUG

#define GC_MALLOC_ATOMIC(sz) GC_debug_malloc_atomic(sz, GC_EXTRAS)
#define GC_MALLOC_UNCOLLECTABLE(sz) GC_debug_malloc_uncollectable(sz, GC_EXTRAS)
#define GC_MALLOC_ATOMIC_UNCOLLECTABLE(sz) GC_debug_malloc_atomic_uncollectable(sz, GC_EXTRAS)
#define GC_MALLOC_IGNORE_OFF_PAGE(sz) GC_debug_malloc_ignore_off_page(sz, GC_EXTRAS)
#define GC_MALLOC_ATOMIC_IGNORE_OFF_PAGE(sz) GC_debug_malloc_atomic_ignore_off_page(sz, GC_EXTRAS)
#define GC_STRDUP(s) GC_debug_strdup(s, GC_EXTRAS)
#define GC_STRNDUP(s, sz) GC_debug_strndup(s, sz, GC_EXTRAS)
#ifdef GC_REQUIRE_WCSDUP
#define GC_WCSDUP(s) GC_debug_wcsdup(s, GC_EXTRAS)
#endif
#define GC_FREE(p) GC_debug_free(p)
#define GC_END_STUBBORN_CHANGE(p) GC_debug_end_stubborn_change(p)
#define GC_PTR_STORE_AND_DIRTY(p, q) GC_debug_ptr_store_and_dirty(p, q)
#define GC_REGISTER_FINALIZER(p, f, d, of, od) GC_debug_register_finalizer(p, f, d, of, od)
#define GC_REGISTER_FINALIZER_IGNORE_SELF(p, f, d, of, od) GC_debug_register_finalizer_ignore_self(p, f, d, of, od)
#define GC_REGISTER_FINALIZER_NO_ORDER(p, f, d, of, od) GC_debug_register_finalizer_no_order(p, f, d, of, od)
#define GC_REGISTER_FINALIZER_UNREACHABLE(p, f, d, of, od) GC_debug_register_finalizer_unreachable(p, f, d, of, od)
/* Links are to the object as the collector knows it. */
#define GC_GENERAL_REGISTER_DISAPPEARING_LINK(link, obj) GC_general_register_disappearing_link(link, GC_base((void *)(obj)))
#define GC_REGISTER_LONG_LINK(link, obj) GC_register_long_link(link, GC_base((void *)(obj)))
#define GC_REGISTER_DISPLACEMENT(n) GC_debug_register_displacement(n)
/* Stores q at p. */
#define GC_PTR_STORE(p, q) (*(void **)GC_is_visible((void *)(p)) = GC_is_valid_displacement((void *)(q)))

#else

#define GC_MALLOC_ATOMIC(sz) GC_malloc_atomic(sz)
#define GC_MALLOC_UNCOLLECTABLE(sz) GC_malloc_uncollectable(sz)
#define GC_MALLOC_ATOMIC_UNCOLLECTABLE(sz) GC_malloc_atomic_uncollectable(sz)
#define GC_MALLOC_IGNORE_OFF_PAGE(sz) GC_malloc_ignore_off_page(sz)
#define GC_MALLOC_ATOMIC_IGNORE_OFF_PAGE(sz) GC_malloc_atomic_ignore_off_page(sz)
#define GC_STRDUP(s) GC_strdup(s)
#define GC_STRNDUP(s, sz) GC_strndup(s, sz)
#ifdef GC_REQUIRE_WCSDUP
#define GC_WCSDUP(s) GC_wcsdup(s)
#endif
#define GC_FREE(p) GC_free(p)
#define GC_END_STUBBORN_CHANGE(p) GC_end_stubborn_change(p)
#define GC_PTR_STORE_AND_DIRTY(p, q) GC_ptr_store_and_dirty(p, q)
#define GC_REGISTER_FINALIZER(p, f, d, of, od) GC_register_finalizer(p, f, d, of, od)
#define GC_REGISTER_FINALIZER_IGNORE_SELF(p, f, d, of, od) GC_register_finalizer_ignore_self(p, f, d, of, od)
#define GC_REGISTER_FINALIZER_NO_ORDER(p, f, d, of, od) GC_register_finalizer_no_order(p, f, d, of, od)
#define GC_REGISTER_FINALIZER_UNREACHABLE(p, f, d, of, od) GC_register_finalizer_unreachable(p, f, d, of, od)
#define GC_GENERAL_REGISTER_DISAPPEARING_LINK(link, obj) GC_general_register_disappearing_link(link, obj)
#define GC_REGISTER_LONG_LINK(link, obj) GC_register_long_link(link, obj)
#define GC_REGISTER_DISPLACEMENT(n) GC_register_displacement(n)
#define GC_PTR_STORE(p, q) (*(void **)(p) = (void *)(q))

#endif

/* An object for a value of type t. */
#define GC_NEW(t) ((t *)GC_MALLOC(sizeof(t)))
#define GC_NEW_ATOMIC(t) ((t *)GC_MALLOC_ATOMIC(sizeof(t)))
#define GC_NEW_UNCOLLECTABLE(t) ((t *)GC_MALLOC_UNCOLLECTABLE(sizeof(t)))
#define GC_MALLOC_STUBBORN(sz) GC_MALLOC(sz)
#define GC_NEW_STUBBORN(t) GC_NEW(t)
#define GC_CHANGE_STUBBORN(p) GC_change_stubborn(p)

/* Arithmetic with a pointer x that stays inside its object; the first three say the pointer's type. */
#if defined(GC_DEBUG) && defined(__GNUC__)
#define GC_PTR_ADD3(x, n, type_of_result) ((type_of_result)GC_same_obj((x) + (n), (x)))
#define GC_PRE_INCR3(x, n, type_of_result) ((type_of_result)GC_pre_incr((void **)(&(x)), (n) * sizeof(*x)))
#define GC_POST_INCR3(x, n, type_of_result) ((type_of_result)GC_post_incr((void **)(&(x)), (n) * sizeof(*x)))
#define GC_PTR_ADD(x, n) GC_PTR_ADD3(x, n, __typeof__(x))
#define GC_PRE_INCR(x, n) GC_PRE_INCR3(x, n, __typeof__(x))
#define GC_POST_INCR(x) GC_POST_INCR3(x, 1, __typeof__(x))
#define GC_POST_DECR(x) GC_POST_INCR3(x, -1, __typeof__(x))
#else
#define GC_PTR_ADD(x, n) ((x) + (n))
#define GC_PRE_INCR(x, n) ((x) += (n))
#define GC_POST_INCR(x) ((x)++)
#define GC_POST_DECR(x) ((x)--)
#endif

/* ---- GC_INIT() ----------------------------------------------------------------------------------------------------
 *
 * Starts the collector with what the program's macros ask for; each is the argument of the function named beside it.
 */
#ifdef GC_DONT_EXPAND
#define GC_INIT_CONF_DONT_EXPAND GC_set_dont_expand(1)
#else
#define GC_INIT_CONF_DONT_EXPAND
#endif
#ifdef GC_FORCE_UNMAP_ON_GCOLLECT
#define GC_INIT_CONF_FORCE_UNMAP_ON_GCOLLECT GC_set_force_unmap_on_gcollect(1)
#else
#define GC_INIT_CONF_FORCE_UNMAP_ON_GCOLLECT
#endif
#ifdef GC_DONT_GC
#define GC_INIT_CONF_MAX_RETRIES (void)(GC_dont_gc = 1)
#elif defined(GC_MAX_RETRIES)
#define GC_INIT_CONF_MAX_RETRIES GC_set_max_retries(GC_MAX_RETRIES)
#else
#define GC_INIT_CONF_MAX_RETRIES
#endif
#ifdef GC_ALLOCD_BYTES_PER_FINALIZER
#define GC_INIT_CONF_ALLOCD_BYTES_PER_FINALIZER GC_set_allocd_bytes_per_finalizer(GC_ALLOCD_BYTES_PER_FINALIZER)
#else
#define GC_INIT_CONF_ALLOCD_BYTES_PER_FINALIZER
#endif
#ifdef GC_FREE_SPACE_DIVISOR
#define GC_INIT_CONF_FREE_SPACE_DIVISOR GC_set_free_space_divisor(GC_FREE_SPACE_DIVISOR)
#else
#define GC_INIT_CONF_FREE_SPACE_DIVISOR
#endif
#ifdef GC_FULL_FREQ
#define GC_INIT_CONF_FULL_FREQ GC_set_full_freq(GC_FULL_FREQ)
#else
#define GC_INIT_CONF_FULL_FREQ
#endif
#ifdef GC_TIME_LIMIT
#define GC_INIT_CONF_TIME_LIMIT GC_set_time_limit(GC_TIME_LIMIT)
#else
#define GC_INIT_CONF_TIME_LIMIT
#endif
#if defined(GC_MARKERS) && defined(GC_THREADS)
#define GC_INIT_CONF_MARKERS GC_set_markers_count(GC_MARKERS)
#else
#define GC_INIT_CONF_MARKERS
#endif
#if defined(GC_SIG_SUSPEND) && defined(GC_THREADS)
#define GC_INIT_CONF_SUSPEND_SIGNAL GC_set_suspend_signal(GC_SIG_SUSPEND)
#else
#define GC_INIT_CONF_SUSPEND_SIGNAL
#endif
#if defined(GC_SIG_THR_RESTART) && defined(GC_THREADS)
#define GC_INIT_CONF_THR_RESTART_SIGNAL GC_set_thr_restart_signal(GC_SIG_THR_RESTART)
#else
#define GC_INIT_CONF_THR_RESTART_SIGNAL
#endif
#ifdef GC_MAXIMUM_HEAP_SIZE
#define GC_INIT_CONF_MAXIMUM_HEAP_SIZE GC_set_max_heap_size(GC_MAXIMUM_HEAP_SIZE)
#else
#define GC_INIT_CONF_MAXIMUM_HEAP_SIZE
#endif
#ifdef GC_IGNORE_WARN
#define GC_INIT_CONF_IGNORE_WARN GC_set_warn_proc(GC_ignore_warn_proc)
#else
#define GC_INIT_CONF_IGNORE_WARN
#endif
/* What is missing to the size. */
#ifdef GC_INITIAL_HEAP_SIZE
#define GC_INIT_CONF_INITIAL_HEAP_SIZE                                    \
    {                                                                     \
        size_t heap_size = GC_get_heap_size();                            \
        if (heap_size < (GC_INITIAL_HEAP_SIZE)) {                         \
            (void)GC_expand_hp((GC_INITIAL_HEAP_SIZE) - heap_size);       \
        }                                                                 \
    }
#else
#define GC_INIT_CONF_INITIAL_HEAP_SIZE
#endif
/* The collector finds static data here. */
#define GC_INIT_CONF_ROOTS

#define GC_INIT()                                   \
    {                                               \
        GC_INIT_CONF_DONT_EXPAND;                   \
        GC_INIT_CONF_FORCE_UNMAP_ON_GCOLLECT;       \
        GC_INIT_CONF_MAX_RETRIES;                   \
        GC_INIT_CONF_ALLOCD_BYTES_PER_FINALIZER;    \
        GC_INIT_CONF_FREE_SPACE_DIVISOR;            \
        GC_INIT_CONF_FULL_FREQ;                     \
        GC_INIT_CONF_TIME_LIMIT;                    \
        GC_INIT_CONF_MARKERS;                       \
        GC_INIT_CONF_SUSPEND_SIGNAL;                \
        GC_INIT_CONF_THR_RESTART_SIGNAL;            \
        GC_INIT_CONF_MAXIMUM_HEAP_SIZE;             \
        GC_init();                                  \
        GC_INIT_CONF_ROOTS;                         \
        GC_INIT_CONF_IGNORE_WARN;                   \
        GC_INIT_CONF_INITIAL_HEAP_SIZE;             \
    }

#ifdef __cplusplus
}
#endif

#ifdef GC_PTHREADS
#include "gc_pthread_redirects.h"
#endif

#endif
