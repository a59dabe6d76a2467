/* A switch to another thread's own stack, parked while that thread runs a fiber.
 *
 * EXPECT: gleaner: gc_fiber_switch: the own stack of thread <number>: <address>; only that thread may switch to it
 * EXIT: SIGABRT
 */
#include "../contract/elsewhere.h"

int main(void)
{
    gc_fiber_switch(reveal(running_elsewhere()->resumed_from), jump_by_hand, NULL);
    return 0;
}
