/* A context whose own mask blocks all signals. */
#define MAKE_CALLS switch_masks()
static void switch_masks(void);
#include "pending.h"

#include <ucontext.h>

static char stack[256 << 10];
static ucontext_t before, blocked;

static void run(void)
{
    make_calls(NULL);
}

static void switch_masks(void)
{
    NEED(getcontext(&blocked) == 0);
    blocked.uc_stack.ss_sp = stack;
    blocked.uc_stack.ss_size = sizeof stack;
    blocked.uc_link = &before;
    sigfillset(&blocked.uc_sigmask);
    makecontext(&blocked, run, 0);
    NEED(swapcontext(&before, &blocked) == 0);
}

void call(void)
{
    ended_by_looking(1);
}
