/* Every function, by a pointer of exactly its type: a prototype that changes does not compile, and in C++ one that lost
 * its extern "C" does not link.  Never run, only compiled: tests/header/check.sh compiles it as C and as C++. */
#include "once.h"

struct every_name {
    void (*init)(void);
    const char *(*version)(void);
    int (*option_set)(const char *, const char *);
    void *(*allocate[3])(size_t);
    void *(*two_sizes[2])(size_t, size_t);
    void *(*reallocate)(void *, size_t);
    char *(*copy)(const char *);
    char *(*copy_some)(const char *, size_t);
    void (*release_object)(void *);
    size_t (*usable_size)(const void *);
    void *(*base)(const void *);
    int (*contains)(const void *);
    gc_layout (*layout)(const unsigned long *, size_t);
    void *(*typed)(size_t, gc_layout);
    gc_kind (*kind_new)(gc_trace_fn);
    void *(*of_kind)(size_t, gc_kind);
    gc_cache *(*cache_find)(unsigned int, size_t, gc_kind);
    void *(*cache_malloc)(gc_cache *);
    void *(*cache_malloc_typed)(gc_cache *, size_t, gc_layout);
    void (*trace_word)(gc_tracer *, const void *);
    void (*trace_range)(gc_tracer *, const void *, const void *);
    void (*control[3])(void);
    size_t (*count[2])(void);
    unsigned long (*collections)(void);
    int (*range[2])(const void *, const void *);
    int (*object[3])(void *);
    int (*thread[2])(void);
    void *(*blocking)(gc_blocking_fn, void *);
    gc_fiber *(*fiber_new)(void *, size_t, void *, void *, enum gc_fiber_life);
    gc_fiber *(*fiber_current)(void);
    void (*fiber_switch)(gc_fiber *, gc_fiber_jump, void *);
    void (*fiber_free)(gc_fiber *);
    int (*finalizer_set)(void *, gc_finalizer_fn, void *, enum gc_finalizer_order);
    gc_weak *(*weak_register)(void *, enum gc_weak_kind);
    void (*weak_unregister)(gc_weak *);
    void *(*weak_get)(const gc_weak *);
    gc_ephemeron *(*ephemeron_new)(void *, void *);
    void *(*ephemeron_get[2])(const gc_ephemeron *);
    void *(*malloc_weak)(size_t);
    gc_pair *(*malloc_ephemerons)(size_t);
    int (*tombstone_set)(void *, void *);
    size_t (*died)(const void *);
    void (*limit_set)(size_t);
    void (*oom_set)(gc_oom_handler, void *);
    void (*warn_set)(gc_warn_handler, void *);
    int (*stats_get)(gc_stats *);
    size_t (*stats_json)(char *, size_t);
    void (*listener_set)(gc_event_listener, void *);
};

extern const struct every_name every_name;
const struct every_name every_name = {
    gc_init,
    gc_version,
    gc_option_set,
    {gc_malloc, gc_malloc_atomic, gc_malloc_uncollectable},
    {gc_calloc, gc_memalign},
    gc_realloc,
    gc_strdup,
    gc_strndup,
    gc_free,
    gc_usable_size,
    gc_base,
    gc_contains,
    gc_layout_from_bitmap,
    gc_malloc_typed,
    gc_kind_new,
    gc_malloc_kind,
    gc_cache_find,
    gc_cache_malloc_slowly,
    gc_cache_malloc_typed_slowly,
    gc_trace_word,
    gc_trace_range,
    {gc_collect, gc_enable, gc_disable},
    {gc_release, gc_finalizers_run},
    gc_collections,
    {gc_root_add, gc_root_remove},
    {gc_pin, gc_unpin, gc_finalizer_clear},
    {gc_thread_register, gc_thread_unregister},
    gc_blocking,
    gc_fiber_new,
    gc_fiber_current,
    gc_fiber_switch,
    gc_fiber_free,
    gc_finalizer_set,
    gc_weak_register,
    gc_weak_unregister,
    gc_weak_get,
    gc_ephemeron_new,
    {gc_ephemeron_key, gc_ephemeron_value},
    gc_malloc_weak,
    gc_malloc_ephemerons,
    gc_weak_tombstone_set,
    gc_weak_died,
    gc_heap_limit_set,
    gc_oom_handler_set,
    gc_warn_handler_set,
    gc_stats_get,
    gc_stats_json,
    gc_event_listener_set
};
