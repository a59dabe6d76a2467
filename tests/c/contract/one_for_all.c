/* Threads that find a collection due at the same time share one: the next has something to take back. */
#include "check.h"
#include <pthread.h>

enum { THREADS = 8, WANTED = 300 };

static size_t collections, fruitless;

static void count(const gc_event *event, void *data)
{
    (void)data;
    if (event->kind != GC_CYCLE_RESUME)
        return;
    __atomic_add_fetch(&collections, 1, __ATOMIC_RELAXED);
    /* A collection is due when a megabyte or more has been handed out, and next to nothing of that is kept. */
    if (event->reclaimed_bytes < (64u << 10))
        __atomic_add_fetch(&fruitless, 1, __ATOMIC_RELAXED);
}

static void *leak(void *data)
{
    (void)data;
    while (__atomic_load_n(&collections, __ATOMIC_RELAXED) < WANTED)
        CHECK(gc_malloc(48) != NULL, "no memory");
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    int i;
    gc_init();
    gc_event_listener_set(count, NULL);
    for (i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, leak, NULL) == 0, "no thread");
    for (i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK(collections >= WANTED && fruitless <= collections / 50, "%zu of %zu collections found nothing", fruitless,
          collections);
    return 0;
}
