/* A fiber is freed twice.
 *
 * EXPECT: gleaner: gc_fiber_free: freed twice: <address>, a fiber; remove one of the two calls
 * EXIT: SIGABRT
 */
#include "../contract/fibers.h"

static char stack[64 << 10] __attribute__((aligned(16)));

int main(void)
{
    gc_fiber *fiber = gc_fiber_new(stack, sizeof stack, NULL, NULL, GC_FIBER_ROOT);
    gc_fiber_free(NULL);
    gc_fiber_free(fiber);
    gc_fiber_free(fiber);
    return 0;
}
