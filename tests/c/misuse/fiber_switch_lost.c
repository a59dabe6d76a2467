/* A switch to a fiber that was left by returning to its uc_link.
 *
 * EXPECT: gleaner: gc_fiber_switch: the fiber cannot go on: <address> was left by thread <number> without a switch; free it
 * EXIT: SIGABRT
 */
#include "../contract/fibers.h"

static char stack[64 << 10] __attribute__((aligned(16)));

#include <setjmp.h>

static ucontext_t here, there;
static jmp_buf before_switch;

static void entry(void)
{
    /* Returns to uc_link, which is `here`. */
}

static void jump(void *data)
{
    (void)data;
    swapcontext(&here, &there);
    longjmp(before_switch, 1);
}

int main(void)
{
    gc_fiber *volatile fiber = gc_fiber_new(stack, sizeof stack, NULL, NULL, GC_FIBER_ROOT);
    getcontext(&there);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = sizeof stack;
    there.uc_link = &here;
    makecontext(&there, entry, 0);
    if (setjmp(before_switch) == 0)
        gc_fiber_switch(fiber, jump, NULL);
    gc_collect();
    gc_fiber_switch(fiber, jump, NULL);
    return 0;
}
