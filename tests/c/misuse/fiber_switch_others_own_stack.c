/* A switch to another thread's own stack, parked while that thread runs a fiber.
 *
 * EXPECT: gleaner: gc_fiber_switch: the own stack of thread <number>: <address>; only that thread may switch to it
 * EXIT: SIGABRT
 */
#include "../contract/fibers.h"

static char stack[64 << 10] __attribute__((aligned(16)));

#include <pthread.h>

static struct coroutine c;
static pthread_barrier_t started;

static void body(struct coroutine *c, void *argument)
{
    (void)c, (void)argument;
    pthread_barrier_wait(&started);
    for (;;)
        sched_yield();
}

static void *other_thread(void *unused)
{
    resume(&c);
    return unused;
}

int main(void)
{
    pthread_t thread;
    pthread_barrier_init(&started, NULL, 2);
    make_coroutine(&c, &WAYS[0], stack, sizeof stack, GC_FIBER_ROOT, body, NULL);
    pthread_create(&thread, NULL, other_thread, NULL);
    pthread_barrier_wait(&started);
    gc_fiber_switch(reveal(c.resumed_from), jump_by_hand, NULL);
    return 0;
}
