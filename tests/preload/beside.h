/* A thread that stores the only pointer, and takes it back when the first one has collected. */
#ifndef BESIDE_H
#define BESIDE_H

#include "preload.h"

#include <pthread.h>

static pthread_barrier_t stored, collected;

/* The other thread: what it has stored is all there is; returns when there have been collections. */
static NOINLINE void let_collect(void)
{
    pthread_barrier_wait(&stored);
    pthread_barrier_wait(&collected);
}

/* The first thread: collects between what `other` does before and after its let_collect; what `other` returned. */
static inline void *collect_beside(void *(*other)(void *))
{
    pthread_t thread;
    void *result;
    pthread_barrier_init(&stored, NULL, 2);
    pthread_barrier_init(&collected, NULL, 2);
    NEED((errno = pthread_create(&thread, NULL, other, NULL)) == 0);
    pthread_barrier_wait(&stored);
    churn();
    pthread_barrier_wait(&collected);
    NEED((errno = pthread_join(thread, &result)) == 0);
    return result;
}

#endif
