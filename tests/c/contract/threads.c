/* Threads: found by themselves, their stacks are roots, they free each other's objects, and leave without loss. */
#include <pthread.h>
#include "lists.h"

enum { THREADS = 4, ROUNDS = 60, LENGTH = 2000 };

static void *volatile exchange[THREADS][64];

/* The list is held by the stack alone, through collections of all threads; objects are swapped with others and
 * freed. */
static void *work(void *argument)
{
    size_t self = (size_t)argument, round, i;
    for (round = 0; round < ROUNDS; round++) {
        size_t seed = self * 1000000 + round * 10000;
        struct node *first = list_of(LENGTH, seed);
        for (i = 0; i < 64; i++) {
            void *mine = gc_malloc(40), *others;
            memset(mine, 0x11, 40);
            others = __atomic_exchange_n(&exchange[(self + i) % THREADS][i], mine, __ATOMIC_ACQ_REL);
            if (others != NULL) {
                CHECK(*(unsigned char *)others == 0x11, "an object of another thread is damaged");
                gc_free(others);
            }
        }
        if (round % 8 == 0)
            gc_collect();
        check_list(first, LENGTH, seed);
    }
    return list_of(LENGTH, self);
}

static void *registered(void *argument)
{
    CHECK(gc_thread_register() == 0 && gc_thread_register() == 0, "not registered");
    CHECK(gc_malloc(16) != NULL, "no memory");
    CHECK(gc_thread_unregister() == 0, "not unregistered");
    CHECK(gc_malloc(16) != NULL, "no memory after gc_thread_unregister");
    return argument;
}

int main(void)
{
    pthread_t threads[THREADS];
    void *results[THREADS];
    size_t i;
    unsigned long before = gc_collections();

    for (i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, work, (void *)i) == 0, "no thread");
    for (i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], &results[i]) == 0, "join");
        gc_collect();
        check_list(results[i], LENGTH, i);
    }
    CHECK(gc_collections() > before + THREADS, "only %lu collections", gc_collections() - before);
    await_threads(1);

    CHECK(pthread_create(&threads[0], NULL, registered, NULL) == 0, "no thread");
    CHECK(pthread_join(threads[0], NULL) == 0, "join");
    CHECK(gc_thread_unregister() == 0, "the main thread was not unregistered");
    CHECK(gc_thread_unregister() == EINVAL, "a thread was unregistered twice");
    CHECK(gc_thread_register() == 0, "the main thread was not registered again");
    gc_collect();
    return 0;
}
