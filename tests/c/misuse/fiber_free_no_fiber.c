/* What is freed is an object, and no fiber.
 *
 * EXPECT: gleaner: gc_fiber_free: not a fiber: <address>; pass what gc_fiber_new or gc_fiber_current returned
 * EXIT: SIGABRT
 */
#include "../contract/fibers.h"


int main(void)
{
    gc_fiber_free(gc_malloc(64));
    return 0;
}
