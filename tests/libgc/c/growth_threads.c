/* Threads that take memory from each other's collections share one small heap: none of them has it grow instead. */
#include "many.h"

enum { THREADS = 6, ROUNDS = 3000, NODES = 300 };
struct node {
    struct node *next;
    char *text;
};
static size_t largest;

static void *build(void *data) {
    for (int round = 0; round < ROUNDS; round++) {
        struct node *list = NULL;
        for (int i = 0; i < NODES; i++) {
            struct node *node = GC_MALLOC(sizeof *node);
            node->text = GC_MALLOC_ATOMIC(8 + i % 24);
            node->next = list;
            list = node;
        }
        size_t size = GC_get_heap_size();
        if (size > __atomic_load_n(&largest, __ATOMIC_RELAXED))
            __atomic_store_n(&largest, size, __ATOMIC_RELAXED);
    }
    return data;
}

int main(void) {
    pthread_t threads[THREADS];
    GC_INIT();
    for (int i = 0; i < THREADS; i++)
        CHECK(!GC_pthread_create(&threads[i], NULL, build, NULL), "a thread");
    for (int i = 0; i < THREADS; i++)
        CHECK(!GC_pthread_join(threads[i], NULL), "joined");
    CHECK(largest <= 3 << 20, "the heap grew to %zu bytes", largest);
    return 0;
}
