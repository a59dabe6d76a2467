/* libgleaner_malloc.so preloaded into a program of gc.h: malloc's objects and GC_MALLOC's are on one heap, so each keeps the
 * other, and what neither reaches is gone. */
#define GC_THREADS
#include "../c/check.h"
#include <pthread.h>

enum { MANY = 1000 };

struct node {
    struct node *next;
    size_t number;
};

/* A list whose elements are of one and the other in turn; only `first` knows it. */
static struct node *first;

static __attribute__((noinline)) void build(void) {
    for (size_t i = 0; i < MANY; i++) {
        struct node *node = i % 2 ? malloc(sizeof *node) : GC_MALLOC(sizeof *node);
        node->next = first;
        node->number = i;
        first = node;
    }
}

static __attribute__((noinline)) void forget(GC_word *hidden) {
    hidden[0] = HIDDEN(malloc(LARGE));
    hidden[1] = HIDDEN(GC_MALLOC(LARGE));
}

static size_t finalized;

static void count(void *object, void *data) {
    (void)object, (void)data;
    finalized++;
}

static __attribute__((noinline)) void finalize(void) {
    for (size_t i = 0; i < MANY; i++) {
        void *object = GC_MALLOC(32);
        *(void **)object = malloc(32);
        GC_REGISTER_FINALIZER(object, count, NULL, NULL, NULL);
    }
}

static void *work(void *unused) {
    for (size_t i = 0; i < 100 * MANY; i++)
        CHECK(GC_MALLOC(16 + i % 500) != NULL, "no memory");
    return unused;
}

/* Its place may be a small object's by now. */
static int is_gone_or_replaced(GC_word hidden) {
    void *base = GC_base(SEEN(hidden));
    return base == NULL || GC_size(base) < LARGE;
}

int main(void) {
    GC_word hidden[2];
    pthread_t threads[2];
    size_t left = MANY;
    GC_INIT();
    void *object = malloc(100);
    CHECK(GC_base((char *)object + 50) == object && GC_is_heap_ptr(object), "an object of malloc's is not on the heap");
    build();
    forget(hidden);
    finalize();
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&threads[i], NULL, work, NULL) == 0, "no thread");
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    wipe_stack();
    GC_gcollect();
    GC_invoke_finalizers();
    for (struct node *node = first; node != NULL; node = node->next)
        CHECK(node->number == --left, "node %zu instead of %zu", node->number, left);
    CHECK(left == 0, "%zu nodes are gone", left);
    CHECK(is_gone_or_replaced(hidden[0]), "what malloc gave is still there");
    CHECK(is_gone_or_replaced(hidden[1]), "what GC_MALLOC gave is still there");
    CHECK(finalized > MANY / 2, "%zu finalizers", finalized);
    CHECK(GC_get_gc_no() > 0, "no collections");
    free(object);
    free(GC_MALLOC(100));
    return 0;
}
