/* A fiber that another thread runs, for as long as the process lives. */
#ifndef ELSEWHERE_H
#define ELSEWHERE_H

#include "fibers.h"

#include <pthread.h>
#include <sched.h>

static pthread_barrier_t started_elsewhere;

static void stay(struct coroutine *c, void *argument)
{
    (void)c, (void)argument;
    pthread_barrier_wait(&started_elsewhere);
    for (;;)
        sched_yield();
}

static void *resume_it(void *c)
{
    resume(c);
    return NULL;
}

/* The fiber, once it runs on a new thread. */
static struct coroutine *running_elsewhere(void)
{
    static char stack[64 << 10] __attribute__((aligned(16)));
    static struct coroutine c;
    pthread_t thread;
    pthread_barrier_init(&started_elsewhere, NULL, 2);
    make_coroutine(&c, &WAYS[0], stack, sizeof stack, GC_FIBER_ROOT, stay, NULL);
    pthread_create(&thread, NULL, resume_it, &c);
    pthread_barrier_wait(&started_elsewhere);
    return &c;
}

#endif
