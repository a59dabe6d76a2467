/* A switch to a fiber that another thread runs.
 *
 * EXPECT: gleaner: gc_fiber_switch: the fiber runs already, on thread <number>: <address>; switch to one that is parked
 * EXIT: SIGABRT
 */
#include "../contract/elsewhere.h"

int main(void)
{
    resume(running_elsewhere());
    return 0;
}
