/* Row 3: the only pointer is in a thread-local variable of another thread, which sleeps.
 * blind: frames,control
 */
#include "preload.h"

#include <pthread.h>

static __thread struct victim *place;
static pthread_barrier_t stored, collected;

static void put(void)
{
    place = victim_new();
}

static void *other(void *unused)
{
    run(put);
    pthread_barrier_wait(&stored);
    pthread_barrier_wait(&collected);
    judge(place);
    return unused;
}

int main(void)
{
    pthread_t thread;
    pthread_barrier_init(&stored, NULL, 2);
    pthread_barrier_init(&collected, NULL, 2);
    NEED((errno = pthread_create(&thread, NULL, other, NULL)) == 0);
    pthread_barrier_wait(&stored);
    churn();
    pthread_barrier_wait(&collected);
    pthread_join(thread, NULL);
    return 0;
}
