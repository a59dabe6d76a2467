/* A thread or process whose register has the only pointer, for programs that make one in unusual ways. */
#ifndef HOLDER_H
#define HOLDER_H

#include "preload.h"

#include <sched.h>

/* What the holder takes, hidden, and gives back. */
static struct {
    uintptr_t hidden;
    volatile int has_taken, may_end;
} shared;

/* Holds the pointer in a register until it may end. It may have no thread-local storage of its own, so it calls nothing. */
static int holder(void *unused)
{
    __asm__ volatile("mov (%0), %%r12\n"
                     "not %%r12\n"
                     "movq $0, (%0)\n"
                     "movl $1, %1\n"
                     "1: pause\n"
                     "cmpl $0, %2\n"
                     "je 1b\n"
                     "not %%r12\n"
                     "mov %%r12, (%0)\n"
                     "xor %%r12, %%r12\n"
                     : : "r"(&shared.hidden), "m"(shared.has_taken), "m"(shared.may_end) : "r12", "memory");
    return unused != NULL;
}

static void make_hidden(void)
{
    shared.hidden = hide(victim_new());
}

/* Once the holder runs: churns while it alone has the pointer, and lets it end. */
static void churn_beside_holder(void)
{
    while (!shared.has_taken)
        sched_yield();
    churn();
    shared.may_end = 1;
}

#endif
