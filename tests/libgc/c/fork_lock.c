/* A fork while other threads take the allocation lock, or wait for it: in the child it is free. */
#define GC_THREADS
#include "check.h"
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 3, FORKS = 300 };

static volatile int is_over;
static long count;

static void *step(void *unused) {
    long before = count;
    for (volatile int i = 0; i < 20; i++)
        ;
    count = before + 1;
    return unused;
}

static void *take_lock(void *unused) {
    while (!is_over)
        GC_call_with_alloc_lock(step, NULL);
    return unused;
}

/* What was done with the lock was done as a whole. */
static void use_lock(void) {
    long before = count;
    alarm(20);
    for (int i = 0; i < 10; i++)
        GC_call_with_alloc_lock(step, NULL);
    GC_gcollect();
    GC_call_with_alloc_lock(step, NULL);
    CHECK(count == before + 11, "%ld counted", count - before);
}

int main(void) {
    pthread_t threads[THREADS];
    GC_set_handle_fork(1);
    GC_INIT();
    for (int i = 0; i < THREADS; i++)
        CHECK(GC_pthread_create(&threads[i], NULL, take_lock, NULL) == 0, "a thread");
    for (int i = 0; i < FORKS; i++) {
        int status;
        pid_t child = fork();
        CHECK(child >= 0, "fork");
        if (child == 0) {
            use_lock();
            _exit(0);
        }
        CHECK(waitpid(child, &status, 0) == child && status == 0, "child %d ended with %#x", i, (unsigned)status);
    }
    is_over = 1;
    for (int i = 0; i < THREADS; i++)
        CHECK(GC_pthread_join(threads[i], NULL) == 0, "its end");
    return 0;
}
