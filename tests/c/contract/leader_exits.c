/* The main thread ends by pthread_exit while others go on: they allocate and collect, what only its stack held dies, what
 * is in static data lives, and the last thread decides the exit status. */
#include <pthread.h>
#include "lists.h"

enum { WORKERS = 3, ROUNDS = 30, LENGTH = 1000 };

static struct node *kept;
static gc_weak *cells[MANY];
static pthread_t leader;
static pthread_barrier_t together;

static void *work(void *is_last)
{
    struct node *mine = NULL;
    int i;
    if (is_last != NULL)
        CHECK(pthread_join(leader, NULL) == 0, "the main thread cannot be joined");
    pthread_barrier_wait(&together);
    for (i = 0; i < ROUNDS; i++) {
        mine = list_of(LENGTH, 0);
        gc_collect();
        check_list(mine, LENGTH, 0);
        check_list(kept, LENGTH, 0);
    }
    pthread_barrier_wait(&together);
    if (is_last != NULL) {
#ifndef DEAD_STACK_IS_ROOT
        CHECK(cleared(cells, MANY) >= MOST(MANY), "%zu of %d objects died with the main thread", cleared(cells, MANY),
              MANY);
#endif
        CHECK(stats().stops_abandoned == 0, "%lu collections were given up", (unsigned long)stats().stops_abandoned);
        CHECK(stats().threads <= WORKERS, "%lu threads are known", (unsigned long)stats().threads);
        exit(0);
    }
    return NULL;
}

int main(void)
{
    void *on_stack[MANY];
    pthread_t thread;
    size_t i;
    kept = list_of(LENGTH, 0);
    for (i = 0; i < MANY; i++) {
        on_stack[i] = gc_malloc(48);
        cells[i] = observe(on_stack[i]);
    }
    use(on_stack);
    gc_collect();
    CHECK(cleared(cells, MANY) == 0, "%zu objects on the stack died", cleared(cells, MANY));
    leader = pthread_self();
    CHECK(pthread_barrier_init(&together, NULL, WORKERS) == 0, "no barrier");
    for (i = 0; i < WORKERS; i++)
        CHECK(pthread_create(&thread, NULL, work, i == 0 ? &thread : NULL) == 0, "no thread");
    pthread_exit(NULL);
}
