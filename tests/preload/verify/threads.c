/* Several threads, which have blocked all signals, read the same hidden objects at once: each object is reported once, and
 * all go on.
 *
 * options: stats=1
 * only: the last line
 * says: accesses=200 condemned_objects=0 condemned_bytes=0 given_up=0
 * blind: barred
 */
#include "preload.h"
#include <pthread.h>
#include <signal.h>

enum { THREADS = 4, MANY = 200 };
static uintptr_t hidden[MANY];
static pthread_barrier_t barrier;

/* As large as a page, so that each has one. */
static struct victim *make_object(void)
{
    struct victim *victim = malloc(4000);
    NEED(victim != NULL);
    victim_fill(victim);
    return victim;
}

static void put(void)
{
    for (int i = 0; i < MANY; i++)
        hidden[i] = hide(make_object());
}

static void *read_all(void *unused)
{
    long whole = 0;
    sigset_t all;
    NEED(sigfillset(&all) == 0 && pthread_sigmask(SIG_SETMASK, &all, NULL) == 0);
    for (int i = 0; i < MANY; i++) {
        pthread_barrier_wait(&barrier);
        whole += victim_is_whole(reveal(hidden[i]));
    }
    return (void *)(unused == NULL ? whole : 0);
}

int main(void)
{
    pthread_t threads[THREADS];
    long whole = 0;
    run(put);
    churn();
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        NEED(pthread_create(&threads[i], NULL, read_all, NULL) == 0);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        NEED(pthread_join(threads[i], &result) == 0);
        whole += (long)result;
    }
    printf("%ld\n", whole);
    return 0;
}
