/* Threads that allocate, lose and keep, for programs that are looked at from outside while they do. */
#ifndef WORKERS_H
#define WORKERS_H

#include "preload.h"

#include <pthread.h>

enum { THREADS = 3, KEPT = 100 };

/* Loses that many objects, keeps some, and gives one of those that is broken. */
static UNUSED void *loses(void *rounds)
{
    struct victim *kept[KEPT];
    for (int i = 0; i < KEPT; i++)
        kept[i] = victim_new();
    for (uintptr_t i = 0; i < (uintptr_t)rounds; i++) {
        void *volatile lost = malloc(i % 500);
        (void)lost;
        if (i % 20000 == 0)
            malloc_trim(0);
    }
    for (int i = 0; i < KEPT; i++)
        if (!victim_is_whole(kept[i]))
            return kept[i];
    return NULL;
}

static UNUSED int threads_lose(uintptr_t rounds)
{
    pthread_t threads[THREADS];
    void *broken;
    int are_whole = 1;
    for (int i = 0; i < THREADS; i++)
        NEED((errno = pthread_create(&threads[i], NULL, loses, (void *)rounds)) == 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &broken);
        are_whole &= broken == NULL;
    }
    return are_whole;
}

#endif
