/* A thread that has blocked all signals is stopped all the same, and so is a program that takes the stop signal for
 * itself: it gets what it raises, and nothing that it does not. */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>
#include "check.h"

enum { COLLECTIONS = 20 };

static int ends[2];
static sem_t ready;
static volatile sig_atomic_t urgent;

static void on_urgent(int number)
{
    (void)number;
    urgent++;
}

static void *deaf(void *data)
{
    char *volatile held = gc_strdup("held by the stack of a thread that hears nothing");
    sigset_t all;
    char byte;
    sigfillset(&all);
    CHECK(pthread_sigmask(SIG_BLOCK, &all, NULL) == 0, "the mask");
    sem_post(&ready);
    while (read(ends[0], &byte, 1) != 1)
        CHECK(errno == EINTR, "read: %s", strerror(errno));
    CHECK(strcmp(held, "held by the stack of a thread that hears nothing") == 0, "the object is gone");
    return data;
}

static void garbage(void)
{
    int i;
    for (i = 0; i < 10000; i++)
        use(gc_malloc(64));
}

static void collect_often(const char *when)
{
    unsigned long before = gc_collections();
    int i;
    for (i = 0; i < COLLECTIONS; i++) {
        garbage();
        gc_collect();
    }
    CHECK(gc_collections() >= before + COLLECTIONS, "%s: %lu collections", when, gc_collections() - before);
    CHECK(stats().stops_abandoned == 0, "%s: %lu stops were abandoned", when, (unsigned long)stats().stops_abandoned);
}

int main(void)
{
    pthread_t thread;
    CHECK(pipe(ends) == 0 && sem_init(&ready, 0, 0) == 0, "pipe or semaphore: %s", strerror(errno));
    CHECK(pthread_create(&thread, NULL, deaf, NULL) == 0, "no thread");
    while (sem_wait(&ready) != 0)
        CHECK(errno == EINTR, "sem_wait: %s", strerror(errno));
    collect_often("beside a deaf thread");

    CHECK(signal(SIGURG, on_urgent) != SIG_ERR, "signal");
    collect_often("with SIGURG taken");
    CHECK(urgent == 0, "SIGURG came %d times, and nobody sent it", (int)urgent);
    raise(SIGURG);
    CHECK(urgent == 1, "SIGURG came %d times after it was raised once", (int)urgent);

    CHECK(write(ends[1], "x", 1) == 1 && pthread_join(thread, NULL) == 0, "the thread did not end");
    return 0;
}
