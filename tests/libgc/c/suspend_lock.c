/* A thread that takes the allocation lock all the time is suspended again and again: never with the lock. */
#define GC_THREADS
#include "check.h"
#include <javaxfc.h>
#include <pthread.h>
#include <unistd.h>

enum { ROUNDS = 1000 };

static volatile int is_over;

static void *count(void *data) {
    ++*(long *)data;
    return data;
}

static void *take_lock(void *unused) {
    long counted = 0;
    while (!is_over)
        GC_call_with_alloc_lock(count, &counted);
    return unused;
}

static void *collect(void *unused) {
    while (!is_over)
        GC_gcollect();
    return unused;
}

int main(void) {
    pthread_t taker, collector;
    long counted = 0;
    alarm(100);
    GC_INIT();
    CHECK(GC_pthread_create(&taker, NULL, take_lock, NULL) == 0, "a thread");
    CHECK(GC_pthread_create(&collector, NULL, collect, NULL) == 0, "a thread");
    for (int i = 0; i < ROUNDS; i++) {
        GC_suspend_thread(taker);
        GC_call_with_alloc_lock(count, &counted);
        GC_resume_thread(taker);
    }
    CHECK(counted == ROUNDS, "%ld counted", counted);
    is_over = 1;
    CHECK(GC_pthread_join(taker, NULL) == 0 && GC_pthread_join(collector, NULL) == 0, "their ends");
    return 0;
}
