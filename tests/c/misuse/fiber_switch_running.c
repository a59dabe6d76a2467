/* A switch to the fiber that runs.
 *
 * EXPECT: gleaner: gc_fiber_switch: the fiber runs already, on this thread: <address>; switch to one that is parked
 * EXIT: SIGABRT
 */
#include "../contract/fibers.h"


int main(void)
{
    gc_fiber_switch(gc_fiber_current(), jump_by_hand, NULL);
    return 0;
}
