/* A thread that has the only pointer on its stack, for programs that choose where that stack is. */
#ifndef STACK_THREAD_H
#define STACK_THREAD_H

#include "preload.h"

#include <pthread.h>
#include <sys/mman.h>

enum { STACK_BYTES = 1 << 18 };

static int ready[2], go[2];

static void *hold(void *unused)
{
    char byte;
    struct victim *volatile victim = victim_new();
    NEED(write(ready[1], "", 1) == 1);
    NEED(read(go[0], &byte, 1) == 1);
    judge(victim);
    return unused;
}

/* Churns while a thread holds the pointer on a mapping of STACK_BYTES, its stack. */
static int churn_beside_thread_on(void *stack)
{
    pthread_t thread;
    pthread_attr_t attributes;
    char byte;
    NEED(stack != MAP_FAILED && pipe(ready) == 0 && pipe(go) == 0);
    NEED(pthread_attr_init(&attributes) == 0 && pthread_attr_setstack(&attributes, stack, STACK_BYTES) == 0);
    NEED(pthread_create(&thread, &attributes, hold, NULL) == 0);
    NEED(read(ready[0], &byte, 1) == 1);
    churn();
    NEED(write(go[1], "", 1) == 1);
    return pthread_join(thread, NULL);
}

#endif
