/* Threads that end while collections stop them, detached and joined ones: no collection hangs, none is given up for good,
 * and what they leave behind is whole. */
#include <pthread.h>
#include "lists.h"

enum { THREADS = 400, LENGTH = 50 };

static struct node *left[THREADS];
static int done, ended;

static void *collect(void *data)
{
    while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE))
        gc_collect();
    return data;
}

static void *leave_a_list(void *place)
{
    struct node *first;
    int i;
    for (i = 0; i < LENGTH; i++)
        use(gc_malloc(500));
    first = list_of(LENGTH, 0);
    for (i = 0; i < LENGTH; i++)
        use(gc_malloc(500));
    *(struct node **)place = first;
    __atomic_fetch_add(&ended, 1, __ATOMIC_RELEASE);
    return first;
}

int main(void)
{
    pthread_attr_t detached;
    pthread_t collector, thread;
    time_t deadline = time(NULL) + 40;
    size_t i;
    CHECK(pthread_attr_init(&detached) == 0 && pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED) == 0,
          "no attributes");
    CHECK(pthread_create(&collector, NULL, collect, NULL) == 0, "no thread");
    for (i = 0; i < THREADS; i++) {
        void *result;
        int is_detached = i % 2;
        CHECK(pthread_create(&thread, is_detached ? &detached : NULL, leave_a_list, &left[i]) == 0, "no thread");
        if (!is_detached) {
            CHECK(pthread_join(thread, &result) == 0 && result == left[i], "thread %zu cannot be joined", i);
        }
    }
    while (__atomic_load_n(&ended, __ATOMIC_ACQUIRE) != THREADS) {
        CHECK(time(NULL) < deadline, "%d of %d threads ended", ended, THREADS);
        sched_yield();
    }
    __atomic_store_n(&done, 1, __ATOMIC_RELEASE);
    pthread_join(collector, NULL);
    for (i = 0; i < THREADS; i++)
        check_list(left[i], LENGTH, 0);
    await_threads(1);
    CHECK(gc_collections() > 0, "no collection");
    return 0;
}
