/* Calls on a stack of the program's own. */
#define MAKE_CALLS switch_stacks()
static void switch_stacks(void);
#include "sender.h"

#include <ucontext.h>

enum { STACK_BYTES = 256 << 10 };

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
    send_by_socket(SO_SNDTIMEO);
}

void call(void)
{
    ended(send(to, big, BIG, 0));
}
