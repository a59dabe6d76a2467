/* Fibers that cannot be.
 *
 * EXPECT: 
 * EXIT: 0
 */
#include "../contract/fibers.h"

static char stack[64 << 10] __attribute__((aligned(16)));

int main(void)
{
    char *start = known_at_run_time(stack), *end = start + sizeof stack;
    CHECK_REFUSED(EINVAL, gc_fiber_new(NULL, sizeof stack, NULL, NULL, GC_FIBER_ROOT));
    CHECK_REFUSED(EINVAL, gc_fiber_new(stack, 0, NULL, NULL, GC_FIBER_ROOT));
    CHECK_REFUSED(EINVAL, gc_fiber_new(stack, opaque(SIZE_MAX), NULL, NULL, GC_FIBER_ROOT));
    CHECK_REFUSED(EINVAL, gc_fiber_new(stack, sizeof stack, start - 8, NULL, GC_FIBER_ROOT));
    CHECK_REFUSED(EINVAL, gc_fiber_new(stack, sizeof stack, end + 8, NULL, GC_FIBER_OBJECT));
    CHECK_REFUSED(EINVAL, gc_fiber_new(stack, sizeof stack, NULL, NULL, (enum gc_fiber_life)2));
    CHECK(gc_fiber_new(stack, sizeof stack, stack, NULL, GC_FIBER_ROOT) != NULL, "at its start");
    CHECK(gc_fiber_new(stack, sizeof stack, end, NULL, GC_FIBER_OBJECT) != NULL, "at its end");
    return 0;
}
