/* A switch to an object that is no fiber.
 *
 * EXPECT: gleaner: gc_fiber_switch: not a fiber: <address>; pass what gc_fiber_new or gc_fiber_current returned
 * EXIT: SIGABRT
 */
#include "../contract/fibers.h"


int main(void)
{
    gc_fiber_switch(gc_malloc(64), jump_by_hand, NULL);
    return 0;
}
