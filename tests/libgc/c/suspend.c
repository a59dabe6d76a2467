/* Threads that are suspended one by one: they stand still until they are told to go on, and what they hold stays. */
#define GC_THREADS
#include "check.h"
#include <javaxfc.h>
#include <pthread.h>
#include <unistd.h>

enum { THREADS = 3, ROUNDS = 30, LENGTH = 1000 };

struct node {
    struct node *next;
    int number;
};

static volatile unsigned long counters[THREADS];
static volatile int is_over;

/* Builds lists, each held by this stack only, and counts. */
static void *build(void *number) {
    while (!is_over) {
        struct node *head = NULL;
        int length = 0;
        for (int i = 0; i < LENGTH; i++) {
            struct node *node = GC_malloc(sizeof *node);
            node->next = head;
            node->number = i;
            head = node;
        }
        for (; head != NULL; head = head->next)
            CHECK(head->number == LENGTH - ++length, "node %d", length);
        CHECK(length == LENGTH, "%d nodes", length);
        counters[(size_t)number]++;
    }
    return NULL;
}

static void wait_for_more(int i) {
    unsigned long before = counters[i];
    while (counters[i] == before)
        usleep(100);
}

static volatile int has_begun;

static void *suspend_itself(void *unused) {
    (void)unused;
    has_begun = 1;
    GC_suspend_thread(pthread_self());
    return (void *)&has_begun;
}

static void *end_at_once(void *unused) {
    return unused;
}

/* A thread that has hardly begun, or is over already, counts as suspended all the same. */
static void suspend_short_lived(void) {
    for (int round = 0; round < 300; round++) {
        pthread_t thread;
        CHECK(GC_pthread_create(&thread, NULL, end_at_once, NULL) == 0, "a thread");
        if (round % 3 == 1)
            usleep(300);
        CHECK(!GC_is_thread_suspended(thread), "round %d: nobody has suspended it", round);
        GC_suspend_thread(thread);
        CHECK(GC_is_thread_suspended(thread), "round %d: it counts as suspended", round);
        GC_suspend_thread(thread);
        if (round % 50 == 0)
            GC_gcollect();
        GC_resume_thread(thread);
        CHECK(!GC_is_thread_suspended(thread), "round %d: it may go on", round);
        GC_resume_thread(thread);
        CHECK(GC_pthread_join(thread, NULL) == 0, "its end");
    }
}

int main(void) {
    pthread_t threads[THREADS], other;
    void *result;
    GC_INIT();
    for (size_t i = 0; i < THREADS; i++)
        CHECK(GC_pthread_create(&threads[i], NULL, build, (void *)i) == 0, "a thread");
    for (int round = 0; round < ROUNDS; round++) {
        int i = round % THREADS;
        pthread_t thread = threads[i];
        wait_for_more(i);
        CHECK(!GC_is_thread_suspended(thread), "it runs");
        GC_suspend_thread(thread);
        GC_suspend_thread(thread);
        CHECK(GC_is_thread_suspended(thread), "it stands still");
        unsigned long before = counters[i];
        GC_gcollect();
        wait_for_more((i + 1) % THREADS);
        GC_gcollect();
        CHECK(counters[i] == before, "it has run on");
        GC_resume_thread(thread);
        CHECK(!GC_is_thread_suspended(thread), "it runs again");
        wait_for_more(i);
    }
    CHECK(GC_pthread_create(&other, NULL, suspend_itself, NULL) == 0, "a thread");
    while (!has_begun || !GC_is_thread_suspended(other))
        usleep(100);
    GC_gcollect();
    GC_resume_thread(other);
    CHECK(GC_pthread_join(other, &result) == 0 && result == (void *)&has_begun, "it has gone on");
    suspend_short_lived();
    is_over = 1;
    for (int i = 0; i < THREADS; i++)
        CHECK(GC_pthread_join(threads[i], NULL) == 0, "its end");
    return 0;
}
