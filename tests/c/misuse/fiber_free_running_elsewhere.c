/* A fiber is freed that another thread runs.
 *
 * EXPECT: gleaner: gc_fiber_free: the fiber runs, on thread <number>: <address>; free it when it is parked
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
    gc_fiber_free(fiber_of(&c));
    return 0;
}
