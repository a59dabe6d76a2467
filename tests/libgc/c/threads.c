/* Threads by the wrappers: lists survive, registration answers, blocked threads hold nobody up, the lock excludes. */
#define GC_THREADS
#include "chain.h"
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

enum { THREADS = 4, LENGTH = 20000 };

static void *build_many(void *unused) {
    struct node *head = NULL;
    (void)unused;
    for (int round = 0; round < 10; round++)
        head = build(LENGTH);
    return head;
}

static void lists(void) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, build_many, NULL) == 0, "pthread_create");
    for (int i = 0; i < THREADS; i++) {
        struct node *head;
        CHECK(pthread_join(threads[i], (void **)&head) == 0, "pthread_join");
        judge(head, LENGTH);
    }
}

static void *register_again(void *unused) {
    struct GC_stack_base base;
    (void)unused;
    CHECK(GC_thread_is_registered(), "GC_pthread_create registers");
    CHECK(GC_get_stack_base(&base) == GC_SUCCESS && (char *)base.mem_base > (char *)&base, "the base of a stack");
    CHECK(GC_register_my_thread(&base) == GC_DUPLICATE, "twice");
    return NULL;
}

#undef pthread_create
#undef pthread_join

static void *register_self(void *unused) {
    struct GC_stack_base base;
    (void)unused;
    CHECK(!GC_thread_is_registered(), "nobody has registered it");
    CHECK(GC_get_stack_base(&base) == GC_SUCCESS, "the base of a stack");
    for (int i = 0; i < 3; i++) {
        CHECK(GC_register_my_thread(&base) == GC_SUCCESS && GC_thread_is_registered(), "registered");
        build_many(NULL);
        CHECK(GC_unregister_my_thread() == GC_SUCCESS && !GC_thread_is_registered(), "unregistered");
    }
    return NULL;
}

static int to_blocked[2], from_blocked[2];

static void *with_collector(void *data) {
    void **object = GC_malloc(64);
    object[0] = data;
    GC_gcollect();
    CHECK(object[0] == data, "an object of a thread that was blocked");
    return object;
}

static void *block(void *data) {
    char byte;
    CHECK(write(from_blocked[1], "", 1) == 1 && read(to_blocked[0], &byte, 1) == 1, "a pipe");
    CHECK(GC_call_with_gc_active(with_collector, data) != NULL, "the result");
    return data;
}

static void *blocked_thread(void *unused) {
    (void)unused;
    return GC_do_blocking(block, &to_blocked);
}

static void blocking(void) {
    pthread_t thread;
    void *result;
    char byte;
    CHECK(pipe(to_blocked) == 0 && pipe(from_blocked) == 0, "pipes");
    GC_pthread_create(&thread, NULL, blocked_thread, NULL);
    CHECK(read(from_blocked[0], &byte, 1) == 1, "a pipe");
    GC_gcollect();
    build_many(NULL);
    CHECK(write(to_blocked[1], "", 1) == 1, "a pipe");
    GC_pthread_join(thread, &result);
    CHECK(result == &to_blocked, "the result");
}

static long counter;

static void *count(void *data) {
    long before = counter;
    for (volatile int i = 0; i < 50; i++)
        ;
    counter = before + 1;
    return data;
}

static void *count_much(void *unused) {
    (void)unused;
    for (int i = 0; i < 10000; i++) {
        CHECK(GC_call_with_alloc_lock(count, &counter) == &counter, "the result");
        if (i % 100 == 0)
            GC_malloc(100);
    }
    return NULL;
}

static void *base_of_stack(struct GC_stack_base *base, void *data) {
    CHECK((char *)base->mem_base >= (char *)&data, "a base above");
    return data;
}

int main(void) {
    pthread_t thread, threads[THREADS];
    sigset_t all, old;
    GC_INIT();
    GC_allow_register_threads();
    CHECK(GC_thread_is_registered(), "the first thread");
    lists();
    GC_pthread_create(&thread, NULL, register_again, NULL);
    GC_pthread_join(thread, NULL);
    pthread_create(&thread, NULL, register_self, NULL);
    build_many(NULL);
    pthread_join(thread, NULL);
    blocking();
    for (int i = 0; i < THREADS; i++)
        GC_pthread_create(&threads[i], NULL, count_much, NULL);
    for (int i = 0; i < THREADS; i++)
        GC_pthread_join(threads[i], NULL);
    CHECK(counter == THREADS * 10000, "counted %ld", counter);
    CHECK(GC_call_with_stack_base(base_of_stack, &thread) == &thread, "the result");
    sigfillset(&all);
    CHECK(GC_pthread_sigmask(SIG_BLOCK, &all, &old) == 0 && pthread_sigmask(SIG_SETMASK, &old, &all) == 0, "masks");
    CHECK(!sigismember(&all, GC_get_suspend_signal()) && sigismember(&all, SIGUSR1), "what is blocked");
    CHECK(GC_get_suspend_signal() > 0 && GC_get_suspend_signal() != GC_get_thr_restart_signal(), "two signals");
    return 0;
}
