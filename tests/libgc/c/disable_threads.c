/* Threads that forbid collections for a moment, beside others that allocate: in the end collections go on. */
#define GC_THREADS
#include "check.h"
#include <pthread.h>

enum { FORBIDDING = 3, CHURNING = 3, TIMES = 1000 };

static void *forbid(void *unused) {
    (void)unused;
    for (int i = 0; i < TIMES; i++) {
        GC_disable();
        GC_noop1((GC_word)GC_malloc(100));
        GC_enable();
    }
    return NULL;
}

static void churn(size_t bytes) {
    for (size_t i = 0; i < bytes / 100; i++)
        GC_noop1((GC_word)GC_malloc(100));
}

static void *allocate(void *unused) {
    (void)unused;
    churn(1 << 20);
    return NULL;
}

int main(void) {
    GC_INIT();
    for (int round = 0; round < 10; round++) {
        pthread_t threads[FORBIDDING + CHURNING];
        for (int i = 0; i < FORBIDDING + CHURNING; i++)
            CHECK(pthread_create(&threads[i], NULL, i < FORBIDDING ? forbid : allocate, NULL) == 0, "a thread");
        for (int i = 0; i < FORBIDDING + CHURNING; i++)
            pthread_join(threads[i], NULL);
        CHECK(!GC_is_disabled(), "forbidden, and nobody does");
        GC_word number = GC_get_gc_no();
        churn(32 << 20);
        CHECK(GC_get_gc_no() > number, "no collection any more");
    }
    return 0;
}
