/* on_libgc.h: memory.h on libgc (bdwgc). See there.
 *
 * Every small object comes from the lists that GC_malloc keeps for each thread. Typed objects would not (they take
 * libgc's lock), so nodes are searched whole. It has no fibers and no ephemerons: coroutines are refused, and the
 * value of a weak table's entry must not reach its key.
 */
#define GC_THREADS
#include <gc.h>
#include <gc/gc_typed.h>

static inline void *out_of_memory(size_t size) { return oom_raise(size, NULL); }
static inline void memory_open(void) {
    GC_INIT();
    GC_allow_register_threads();
    GC_set_oom_fn(out_of_memory);
}

/* libgc searches no thread-local storage of its own accord. */
static inline void memory_thread_open(void) {
    struct GC_stack_base base;
    if (!GC_thread_is_registered() && GC_get_stack_base(&base) == GC_SUCCESS)
        GC_register_my_thread(&base);
    GC_add_roots(&me, &me + 1);
}
static inline void memory_thread_close(void) { GC_remove_roots(&me, &me + 1); }

static inline void *scanned(size_t size) { return GC_malloc(size); }
static inline void *plain(size_t size) { return GC_malloc_atomic(size); }
static inline void *plain_resize(void *p, size_t size) { return GC_realloc(p, size); }
static inline void *node_new(size_t size) { return GC_malloc(size); }

/* A pool only says which function to call. */
static inline struct pool *pool_new(size_t size, bool without_pointers) {
    (void)size;
    return (struct pool *)(uintptr_t)without_pointers;
}
static inline void *pool_take(struct pool *pool, size_t size) { return pool != NULL ? plain(size) : scanned(size); }

/* Words and keys are hidden from the search: weak words as data without pointers, keys by a layout. */
static inline value *weak_new(size_t count) {
    value *words = plain(count * sizeof *words);
    for (size_t i = 0; i < count; i++)
        words[i] = 0;
    return words;
}

static inline struct entry *ephemerons_new(size_t count) {
    GC_word layout[] = {1 << offsetof(struct entry, value) / sizeof(value)};
    return GC_calloc_explicitly_typed(count, sizeof(struct entry), GC_make_descriptor(layout, 3));
}

static inline void weak_set(value *place, value v) {
    GC_unregister_disappearing_link((void **)place);
    *place = v;
    if (v != NOTHING)
        GC_general_register_disappearing_link((void **)place, (void *)(v & ~(value)TAG_MASK));
}

static inline bool finalizer_set(void *object, void (*fn)(void *, void *), void *data) {
    GC_register_finalizer_no_order(object, fn, data, NULL, NULL);
    return true;
}

static inline void collect(void) { GC_gcollect(); }
static inline size_t collections(void) { return GC_get_gc_no(); }
static inline size_t heap_bytes(void) { return GC_get_heap_size(); }
static inline void heap_limit_set(size_t bytes) { GC_set_max_heap_size(bytes); }
static inline void *blocking(void *(*fn)(void *), void *data) { return GC_do_blocking(fn, data); }

typedef struct gc_fiber gc_fiber;
enum { GC_FIBER_OBJECT };
static inline gc_fiber *gc_fiber_new(UNUSED void *stack, UNUSED size_t size, UNUSED void *sp, UNUSED void *data,
                                     UNUSED int life) {
    fail("coroutines need a collector with fibers, and libgc has none", NIL);
}
static inline gc_fiber *gc_fiber_current(void) { return NULL; }
static inline void gc_fiber_switch(UNUSED gc_fiber *to, UNUSED void (*jump)(void *), UNUSED void *data) {}
static inline void gc_fiber_free(UNUSED gc_fiber *fiber) {}
static inline void gc_free(void *p) { GC_free(p); }
