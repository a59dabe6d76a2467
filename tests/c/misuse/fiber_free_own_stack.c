/* A fiber frees the stack of its thread.
 *
 * EXPECT: gleaner: gc_fiber_free: the own stack of thread <number>: <address>; it is a fiber for as long as the thread lives
 * EXIT: SIGABRT
 */
#include "../contract/fibers.h"

static char stack[64 << 10] __attribute__((aligned(16)));

static void body(struct coroutine *c, void *argument)
{
    (void)argument;
    gc_fiber_free(reveal(c->resumed_from));
}

int main(void)
{
    static struct coroutine c;
    make_coroutine(&c, &WAYS[0], stack, sizeof stack, GC_FIBER_ROOT, body, NULL);
    resume(&c);
    return 0;
}
