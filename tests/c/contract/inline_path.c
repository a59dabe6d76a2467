/* gleaner_inline.h: objects from a cache are those of gleaner.h's functions, in every size, kind and thread, and in the
 * child of a fork. */
#include <gleaner_inline.h>

#include "check.h"
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static gc_cache *cache_for(size_t size, gc_kind kind)
{
    gc_cache *cache = gc_cache_get(size, kind);
    CHECK(cache != NULL, "no cache for %zu bytes of kind %u: %s", size, kind, strerror(errno));
    return cache;
}

static void is_zero(const void *object, size_t size)
{
    for (size_t i = 0; i < size; i++)
        CHECK(((const unsigned char *)object)[i] == 0, "byte %zu of %zu is not zero", i, size);
}

static void every_size(void)
{
    for (size_t size = 0; size <= GC_CACHE_BYTES_MAX; size += size < 600 ? 1 : 61) {
        gc_cache *cache = cache_for(size, GC_KIND_SCANNED);
        void *object = gc_cache_malloc(cache), *twin = gc_malloc(size);
        CHECK(object != NULL && twin != NULL, "no object of %zu bytes", size);
        CHECK(gc_usable_size(object) == gc_usable_size(twin), "%zu bytes: %zu, and %zu from gc_malloc", size,
              gc_usable_size(object), gc_usable_size(twin));
        CHECK(gleaner_slot_bytes(size) == gc_usable_size(twin), "%zu bytes: the header says %zu", size,
              gleaner_slot_bytes(size));
        CHECK(cache == cache_for(gc_usable_size(twin), GC_KIND_SCANNED), "%zu bytes: a cache of another class", size);
        is_zero(object, gc_usable_size(object));
        memset(object, 0xee, gc_usable_size(object));
        gc_free(object);
        gc_free(twin);
    }
}

/* Constants, or the call is not inlined. */
#define CONSTANT(size)                                                                                           \
    do {                                                                                                         \
        void *object = gc_malloc_inline(size), *twin = gc_malloc(size);                                          \
        CHECK(object != NULL, "no object of %zu bytes", (size_t)(size));                                         \
        CHECK(gc_usable_size(object) == gc_usable_size(twin), "%zu bytes: %zu, and %zu from gc_malloc",          \
              (size_t)(size), gc_usable_size(object), gc_usable_size(twin));                                     \
        is_zero(object, gc_usable_size(object));                                                                 \
        memset(object, 0xee, gc_usable_size(object));                                                            \
    } while (0)

static void constant_sizes(void)
{
    /* The second time there are slots in the caches. */
    for (int turn = 0; turn < 2; turn++) {
        CONSTANT(0); CONSTANT(1); CONSTANT(16); CONSTANT(17); CONSTANT(24); CONSTANT(40); CONSTANT(64); CONSTANT(112);
        CONSTANT(113); CONSTANT(128); CONSTANT(129); CONSTANT(160); CONSTANT(161); CONSTANT(250); CONSTANT(256);
        CONSTANT(257); CONSTANT(1000); CONSTANT(1024); CONSTANT(1025); CONSTANT(5000); CONSTANT(8192); CONSTANT(8193);
        CONSTANT(100000);
    }
}

/* ---- Kinds: a chain of two, the second reached by the first in the way of its kind. --------------------------- */

enum { FIRST = 1, LAST = 4 }; /* the words that hold something */
static gc_layout second_word_only;
static gc_kind last_word_only;

static void trace_last(void *object, size_t size, gc_tracer *tracer)
{
    (void)size;
    gc_trace_word(tracer, ((void **)object)[LAST]);
}

static gc_weak *at_first[MANY], *at_last[MANY];
static void **kept;
static gc_cache *cache;
static int is_typed;

static void make_chains(void)
{
    kept = gc_malloc(MANY * sizeof *kept);
    for (int i = 0; i < MANY; i++) {
        void **object = is_typed ? gc_cache_malloc_typed(cache, 40, second_word_only) : gc_cache_malloc(cache);
        CHECK(object != NULL, "no object");
        void *first = gc_malloc_inline(32), *last = gc_malloc_inline(32);
        object[FIRST] = first;
        object[LAST] = last;
        at_first[i] = observe(first);
        at_last[i] = observe(last);
        use(first);
        use(last);
        kept[i] = object;
    }
}

static void of_kind(const char *name, gc_kind kind, int keeps_first, int keeps_last)
{
    is_typed = kind == GC_KIND_TYPED;
    cache = cache_for(40, kind);
    run(make_chains);
    gc_collect();
    size_t first = cleared(at_first, MANY), last = cleared(at_last, MANY);
    CHECK(keeps_first ? first == 0 : first >= MOST(MANY), "%s: %zu of the first are gone", name, first);
    CHECK(keeps_last ? last == 0 : last >= MOST(MANY), "%s: %zu of the last are gone", name, last);
    for (int i = 0; i < MANY; i++) {
        gc_weak_unregister(at_first[i]);
        gc_weak_unregister(at_last[i]);
        CHECK(gc_base(kept[i]) == kept[i], "%s: object %d is gone", name, i);
        if (kind == GC_KIND_UNCOLLECTABLE)
            gc_free(kept[i]);
    }
    kept = NULL;
}

static void every_kind(void)
{
    const unsigned long second = 1ul << FIRST;
    second_word_only = gc_layout_from_bitmap(&second, 5);
    last_word_only = gc_kind_new(trace_last);
    CHECK(second_word_only != 0 && last_word_only != 0, "no layout, or no kind");
    of_kind("scanned", GC_KIND_SCANNED, 1, 1);
    of_kind("pointer-free", GC_KIND_POINTER_FREE, 0, 0);
    of_kind("uncollectable", GC_KIND_UNCOLLECTABLE, 1, 1);
    of_kind("typed", GC_KIND_TYPED, 1, 0);
    of_kind("made", last_word_only, 0, 1);
}

/* ---- Garbage, on several threads at once ---------------------------------------------------------------------- */

enum { THREADS = 3, ROUNDS = 300000, RING = 64 };

struct node {
    struct node *next;
    uintptr_t number;
};

static void *churn(void *unused)
{
    gc_cache *nodes = cache_for(sizeof(struct node), GC_KIND_SCANNED);
    struct node *ring[RING] = { NULL };
    (void)unused;
    for (uintptr_t i = 0; i < ROUNDS; i++) {
        struct node *node = i % 2 ? gc_cache_malloc(nodes) : gc_malloc_inline(sizeof(struct node));
        struct node *old = ring[i % RING];
        CHECK(node->next == NULL && node->number == 0, "an object that is not zero");
        CHECK(old == NULL || (old->number == i - RING && old->next->number == i - RING + 1),
              "object %lu was given to somebody else", (unsigned long)(i - RING));
        node->number = i;
        if (i > 0)
            ring[(i - 1) % RING]->next = node;
        ring[i % RING] = node;
        if (i % 50000 == 0)
            gc_collect();
    }
    return NULL;
}

static void several_threads(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, churn, NULL) == 0, "no thread");
    churn(NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void in_a_child(void)
{
    gc_cache *nodes = cache_for(sizeof(struct node), GC_KIND_SCANNED);
    CHECK(gc_cache_malloc(nodes) != NULL, "no object");
    pid_t child = fork();
    if (child == 0) {
        CHECK(nodes == cache_for(sizeof(struct node), GC_KIND_SCANNED), "the child has another cache");
        churn(NULL);
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0, "the child ended with %#x", status);
}

/* ---- What is refused ------------------------------------------------------------------------------------------- */

static void *in_region(void *unused)
{
    (void)unused;
    /* The thread's word is NULL here: the call ends the region, as gc_malloc does. */
    return gc_malloc_inline(64);
}

static void refusals(void)
{
    CHECK_REFUSED(ENOSYS, gc_cache_find(GC_CACHE_LAYOUT + 1, 16, GC_KIND_SCANNED));
    CHECK_REFUSED(EINVAL, gc_cache_get(GC_CACHE_BYTES_MAX + 1, GC_KIND_SCANNED));
    CHECK_REFUSED(EINVAL, gc_cache_get(SIZE_MAX, GC_KIND_TYPED));
    CHECK_REFUSED(EINVAL, gc_cache_get(GC_CACHE_BYTES_MAX - 7, GC_KIND_TYPED));
    CHECK_REFUSED(EINVAL, gc_cache_get(16, 0));
    CHECK_REFUSED(EINVAL, gc_cache_get(16, 4));
    CHECK_REFUSED(EINVAL, gc_cache_get(16, last_word_only + 1));
    CHECK(gleaner_thread_1 != NULL, "this thread has caches");
    CHECK(gc_contains(gc_blocking(in_region, NULL)), "no object in a region");
}

int main(void)
{
    every_size();
    constant_sizes();
    every_kind();
    several_threads();
    in_a_child();
    refusals();
    return 0;
}
