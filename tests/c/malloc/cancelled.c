/* Threads that are cancelled at any instruction of calls that may wait, beside one that collects without a pause: each
 * ends, and nobody is kept from leaving a call for longer than a collection. */
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <time.h>
#include <unistd.h>
#include "family.h"

enum { CANCELLATIONS = 200 };

static volatile int over;

static void *call_until_cancelled(void *started)
{
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    sem_post(started);
    for (;;) {
        char byte;
        (void)!read(-1, &byte, 1);
        nanosleep(&(struct timespec){ 0, 0 }, NULL);
    }
    return NULL;
}

static void *collect_on(void *unused)
{
    while (!over)
        gc_collect();
    return unused;
}

int main(void)
{
    pthread_t collecting, thread;
    sem_t started;
    void *result;
    CHECK(sem_init(&started, 0, 0) == 0, "sem_init");
    CHECK(pthread_create(&collecting, NULL, collect_on, NULL) == 0, "no thread");
    for (int i = 0; i < CANCELLATIONS; i++) {
        CHECK(pthread_create(&thread, NULL, call_until_cancelled, &started) == 0, "no thread");
        CHECK(sem_wait(&started) == 0, "sem_wait");
        for (volatile int k = 0; k < i * 50; k++) {
        }
        CHECK(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0, "cancel");
        CHECK(result == PTHREAD_CANCELED, "it ended by itself");
    }
    over = 1;
    CHECK(pthread_join(collecting, NULL) == 0, "join");
    CHECK(stats().stops_abandoned == 0, "a stop was abandoned");
    return 0;
}
