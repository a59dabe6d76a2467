/* A switch to a fiber that was freed.
 *
 * EXPECT: gleaner: gc_fiber_switch: the fiber was freed: <address>; switch to one that is parked
 * EXIT: SIGABRT
 */
#include "../contract/fibers.h"

static char stack[64 << 10] __attribute__((aligned(16)));

int main(void)
{
    gc_fiber *fiber = gc_fiber_new(stack, sizeof stack, NULL, NULL, GC_FIBER_OBJECT);
    gc_fiber_free(fiber);
    gc_collect();
    gc_fiber_switch(fiber, jump_by_hand, NULL);
    return 0;
}
