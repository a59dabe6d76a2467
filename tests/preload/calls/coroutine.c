/* Calls on a stack of the program's own. */
#define ROUNDS 8
#define MAKE_CALLS switch_stacks()
static void switch_stacks(void);
#include "calls.h"

#include <ucontext.h>

enum { STACK_BYTES = 256 << 10 };

static int pair[2];
static ucontext_t before, on_stack;

static void run(void)
{
    make_calls(NULL);
}

static void switch_stacks(void)
{
    NEED(getcontext(&on_stack) == 0);
    NEED((on_stack.uc_stack.ss_sp = malloc(STACK_BYTES)) != NULL);
    on_stack.uc_stack.ss_size = STACK_BYTES;
    on_stack.uc_link = &before;
    makecontext(&on_stack, run, 0);
    NEED(swapcontext(&before, &on_stack) == 0);
}

void prepare(void)
{
    fill_big();
    connected(pair, SOCK_STREAM, SO_SNDTIMEO);
}

void partner(void)
{
    linger();
    drain(pair[1], BIG);
}

void call(void)
{
    ended(send(pair[0], big, BIG, 0));
}
