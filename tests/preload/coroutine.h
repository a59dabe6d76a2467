/* A coroutine that has the only pointer on its stack, for programs that choose where that stack is. */
#ifndef COROUTINE_H
#define COROUTINE_H

#include "preload.h"

#include <ucontext.h>

enum { STACK_BYTES = 1 << 16 };

static ucontext_t here;
static ucontext_t *place = (ucontext_t *)8;

static void coroutine(void)
{
    struct victim *volatile victim = victim_new();
    swapcontext(place, &here);
    judge(victim);
}

/* Begins the coroutine on STACK_BYTES, and comes back when it holds the pointer. */
static void begin_on(void *stack)
{
    place = malloc(sizeof *place);
    NEED(place != NULL && getcontext(place) == 0);
    place->uc_stack.ss_sp = stack;
    place->uc_stack.ss_size = STACK_BYTES;
    place->uc_link = &here;
    makecontext(place, coroutine, 0);
    swapcontext(&here, place);
}

/* Churns after `put` has begun it, and lets it end. */
static int churn_beside_coroutine(void (*put)(void))
{
    run(put);
    churn();
    swapcontext(&here, place);
    return 0;
}

#endif
