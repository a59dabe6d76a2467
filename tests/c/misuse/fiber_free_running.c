/* A fiber that frees itself.
 *
 * EXPECT: gleaner: gc_fiber_free: the fiber runs, on this thread: <address>; free it from another fiber
 * EXIT: SIGABRT
 */
#include "../contract/fibers.h"

static char stack[64 << 10] __attribute__((aligned(16)));

static void body(struct coroutine *c, void *argument)
{
    (void)argument;
    gc_fiber_free(fiber_of(c));
}

int main(void)
{
    static struct coroutine c;
    make_coroutine(&c, &WAYS[0], stack, sizeof stack, GC_FIBER_ROOT, body, NULL);
    resume(&c);
    return 0;
}
