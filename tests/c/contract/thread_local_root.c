/* Thread-local storage is a root in every thread, as long as the thread lives. */
#include <pthread.h>
#include "check.h"

enum { EACH = 100 };

static __thread void *in_tls[EACH];
static gc_weak *of_main[EACH], *of_thread[EACH];
static pthread_barrier_t barrier;

static void fill(gc_weak **cells)
{
    int i;
    for (i = 0; i < EACH; i++) {
        in_tls[i] = gc_malloc(48);
        cells[i] = observe(in_tls[i]);
    }
}

static void fill_main(void)
{
    fill(of_main);
}

static void fill_thread(void)
{
    fill(of_thread);
}

static void *thread(void *argument)
{
    run(fill_thread);
    pthread_barrier_wait(&barrier); /* filled */
    pthread_barrier_wait(&barrier); /* checked */
    use(in_tls);
    return argument;
}

int main(void)
{
    pthread_t other;
    run(fill_main);
    CHECK(pthread_barrier_init(&barrier, NULL, 2) == 0, "no barrier");
    CHECK(pthread_create(&other, NULL, thread, NULL) == 0, "no thread");
    pthread_barrier_wait(&barrier);
    gc_collect();
    gc_collect();
    CHECK(cleared(of_main, EACH) == 0, "thread-local storage of the main thread lost %zu", cleared(of_main, EACH));
    CHECK(cleared(of_thread, EACH) == 0, "thread-local storage of a thread lost %zu", cleared(of_thread, EACH));
    pthread_barrier_wait(&barrier);
    CHECK(pthread_join(other, NULL) == 0, "join");

    memset(in_tls, 0, sizeof in_tls);
    clear_stack(16);
    gc_collect();
    CHECK(cleared(of_main, EACH) >= MOST(EACH), "%zu objects of the main thread stay", EACH - cleared(of_main, EACH));
    return 0;
}
