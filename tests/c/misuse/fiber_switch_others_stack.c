/* A switch to another thread's own stack, on which it runs.
 *
 * EXPECT: gleaner: gc_fiber_switch: the fiber runs already, on thread <number>: <address>; switch to one that is parked
 * EXIT: SIGABRT
 */
#include "../contract/fibers.h"

#include <pthread.h>

static pthread_barrier_t started;
static gc_fiber *other;

static void *other_thread(void *unused)
{
    other = gc_fiber_current();
    pthread_barrier_wait(&started);
    for (;;)
        sched_yield();
    return unused;
}

int main(void)
{
    pthread_t thread;
    pthread_barrier_init(&started, NULL, 2);
    pthread_create(&thread, NULL, other_thread, NULL);
    pthread_barrier_wait(&started);
    gc_fiber_switch(other, jump_by_hand, NULL);
    return 0;
}
