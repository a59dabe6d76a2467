/* Row 5: the only pointer is the value of a thread's first key, which lies in its control block.
 * blind: control
 */
#include "preload.h"

#include <pthread.h>

#ifndef KEYS_BEFORE
#define KEYS_BEFORE 0
#endif

static pthread_key_t key;
static pthread_barrier_t stored, collected;

static void put(void)
{
    NEED((errno = pthread_setspecific(key, victim_new())) == 0);
}

static void *other(void *unused)
{
    run(put);
    pthread_barrier_wait(&stored);
    pthread_barrier_wait(&collected);
    judge(pthread_getspecific(key));
    return unused;
}

int main(void)
{
    pthread_t thread;
    for (int i = 0; i <= KEYS_BEFORE; i++)
        NEED((errno = pthread_key_create(&key, NULL)) == 0);
    pthread_barrier_init(&stored, NULL, 2);
    pthread_barrier_init(&collected, NULL, 2);
    NEED((errno = pthread_create(&thread, NULL, other, NULL)) == 0);
    pthread_barrier_wait(&stored);
    churn();
    pthread_barrier_wait(&collected);
    pthread_join(thread, NULL);
    return 0;
}
