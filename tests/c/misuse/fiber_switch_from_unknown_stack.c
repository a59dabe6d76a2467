/* A switch by a thread that stands on a stack that nobody has made a fiber.
 *
 * EXPECT: gleaner: gc_fiber_switch: the calling thread stands on no fiber that it switched to: its stack pointer is <address>; make fibers of all stacks, and leave them by gc_fiber_switch
 * EXIT: SIGABRT
 */
#include "../contract/fibers.h"

static char stack[64 << 10] __attribute__((aligned(16)));

static char other_stack[64 << 10] __attribute__((aligned(16)));
static ucontext_t here, there;
static gc_fiber *fiber;

static void entry(void)
{
    errno = 0;
    if (gc_fiber_current() != NULL || errno != EINVAL)
        _Exit(2);
    gc_collect();
    gc_fiber_switch(fiber, jump_by_hand, NULL);
}

int main(void)
{
    fiber = gc_fiber_new(stack, sizeof stack, NULL, NULL, GC_FIBER_ROOT);
    getcontext(&there);
    there.uc_stack.ss_sp = other_stack;
    there.uc_stack.ss_size = sizeof other_stack;
    there.uc_link = &here;
    makecontext(&there, entry, 0);
    swapcontext(&here, &there);
    return 0;
}
