/* A thread forbids collections while another is about to collect: once GC_disable has returned none takes place. */
#define GC_THREADS
#include "check.h"
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

enum { ROUNDS = 5, WAIT_NS = 50 * 1000 * 1000 };

static sem_t about_to_collect, has_forbidden, has_collected;
static int is_listening;

/* The world runs. Debian's library holds its lock here, which GC_disable takes: there the wait ends by its deadline, and
 * the collection comes first. */
static void note_start(void) {
    if (!is_listening)
        return;
    is_listening = 0;
    sem_post(&about_to_collect);
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_nsec += WAIT_NS;
    if (deadline.tv_nsec >= 1000000000)
        deadline.tv_sec++, deadline.tv_nsec -= 1000000000;
    sem_timedwait(&has_forbidden, &deadline);
}

static void *forbid(void *unused) {
    (void)unused;
    sem_wait(&about_to_collect);
    GC_disable();
    GC_word number = GC_get_gc_no();
    sem_post(&has_forbidden);
    sem_wait(&has_collected);
    CHECK(GC_get_gc_no() == number, "a collection while they are forbidden");
    GC_enable();
    return NULL;
}

int main(void) {
    GC_INIT();
    GC_set_start_callback(note_start);
    sem_init(&about_to_collect, 0, 0);
    sem_init(&has_collected, 0, 0);
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t thread;
        sem_init(&has_forbidden, 0, 0);
        CHECK(pthread_create(&thread, NULL, forbid, NULL) == 0, "a thread");
        is_listening = 1;
        GC_gcollect();
        sem_post(&has_collected);
        pthread_join(thread, NULL);
    }
    GC_word number = GC_get_gc_no();
    GC_gcollect();
    CHECK(GC_get_gc_no() > number, "no collection when it is allowed again");
    return 0;
}
