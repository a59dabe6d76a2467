/* A fiber is freed that another thread runs.
 *
 * EXPECT: gleaner: gc_fiber_free: the fiber runs, on thread <number>: <address>; free it when it is parked
 * EXIT: SIGABRT
 */
#include "../contract/elsewhere.h"

int main(void)
{
    gc_fiber_free(fiber_of(running_elsewhere()));
    return 0;
}
