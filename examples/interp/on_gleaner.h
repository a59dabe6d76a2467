/* on_gleaner.h: memory.h on gleaner. See there. */
#include "gleaner_inline.h"

/* Nodes say where their pointers are: the datum, the place and the parts. */
__attribute__((weak)) gc_kind node_kind;                              /* one for all files */
static inline void trace_node(void *object, UNUSED size_t size, gc_tracer *tracer) {
    const struct node *n = object;
    gc_trace_range(tracer, &n->datum, &n->part[n->count]);
}

static inline void memory_open(void) {
    node_kind = gc_kind_new(trace_node);
    gc_oom_handler_set(oom_raise, NULL);
}

/* Threads make themselves known, and thread-local storage is searched. */
static inline void memory_thread_open(void) {}
static inline void memory_thread_close(void) {}

/* Without a call, where the compiler knows the size. */
#define scanned(size) gc_malloc_inline(size)
static inline void *plain(size_t size) { return gc_malloc_atomic(size); }
static inline void *got(void *p, size_t size) { return LIKELY(p != NULL) ? p : oom_raise(size, NULL); }
static inline void *plain_resize(void *p, size_t size) { return got(gc_realloc(p, size), size); }
static inline void *node_new(size_t size) { return gc_malloc_kind(size, node_kind); }

/* A pool is the thread's cache of free slots; NULL for sizes that have none. */
static inline struct pool *pool_new(size_t size, bool without_pointers) {
    return (struct pool *)gc_cache_get(size, without_pointers ? GC_KIND_POINTER_FREE : GC_KIND_SCANNED);
}
static inline void *pool_take(struct pool *pool, size_t size) {
    return LIKELY(pool != NULL) ? gc_cache_malloc((gc_cache *)pool) : gc_malloc(size);
}

static inline value *weak_new(size_t count) {
    return got(gc_malloc_weak(count * sizeof(value)), count * sizeof(value));
}

/* An entry is a gc_pair. Any address inside the key counts, tags and all. */
_Static_assert(sizeof(struct entry) == sizeof(gc_pair), "an entry is a pair of the collector's");
static inline struct entry *ephemerons_new(size_t count) {
    return got(gc_malloc_ephemerons(count), count * sizeof(struct entry));
}

static inline void weak_set(value *place, value v) { *place = v; }

static inline bool finalizer_set(void *object, gc_finalizer_fn fn, void *data) {
    return gc_finalizer_set(object, fn, data, GC_FINALIZER_UNORDERED) == 0;
}

static inline void collect(void) { gc_collect(); }
static inline size_t collections(void) { return gc_collections(); }
static inline size_t heap_bytes(void) {
    gc_stats stats = {.size = sizeof stats};
    return gc_stats_get(&stats) == 0 ? stats.bytes_heap : 0;
}
static inline void heap_limit_set(size_t bytes) { gc_heap_limit_set(bytes); }
static inline void *blocking(gc_blocking_fn fn, void *data) { return gc_blocking(fn, data); }
