/* Row 20: the only pointer is at an odd byte of another thread's stack.
 * blind: frames
 */
#include "preload.h"

#include <pthread.h>

static pthread_barrier_t stored, collected;

static NOINLINE void put(char *at)
{
    struct victim *victim = victim_new();
    memcpy(at, &victim, sizeof victim);
}

static void *other(void *unused)
{
    char place[64] = {0};
    struct victim *victim;
    put(place + 13);
    clear_stack(4);
    pthread_barrier_wait(&stored);
    pthread_barrier_wait(&collected);
    memcpy(&victim, place + 13, sizeof victim);
    judge(victim);
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
