/* gc_blocking: collections neither wait for the thread nor interrupt its system call; the caller's stack stays a root;
 * a thread may end inside it. */
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>
#include "check.h"

enum { COLLECTIONS = 50 };

static int pipe_ends[2];
static sem_t inside;
static int interrupted;

/* poll is one of the calls that the kernel does not restart: any signal would end it with EINTR. */
static void *wait_for_byte(void *data)
{
    struct pollfd end;
    char byte;
    end.fd = pipe_ends[0];
    end.events = POLLIN;
    sem_post(&inside);
    if (poll(&end, 1, 30000) != 1)
        interrupted = errno;
    else if (read(pipe_ends[0], &byte, 1) != 1)
        interrupted = errno;
    return data;
}

static void *holder(void *data)
{
    char *volatile held = gc_strdup("held by the stack of a blocked thread");
    int mark = 0;
    (void)data;
    CHECK(gc_blocking(wait_for_byte, &mark) == &mark, "gc_blocking did not return its function's result");
    CHECK(interrupted == 0, "the system call was interrupted: %s", strerror(interrupted));
    CHECK(gc_contains(held) && strcmp(held, "held by the stack of a blocked thread") == 0, "the object is gone");
    CHECK(gc_malloc(100) != NULL, "the thread cannot allocate after gc_blocking");
    return NULL;
}

static void *leave(void *data)
{
    sem_post(&inside);
    pthread_exit(data);
}

static void *leaver(void *data)
{
    use(gc_malloc(32));
    return gc_blocking(leave, data);
}

static void *sleep_in_pause(void *data)
{
    sem_post(&inside);
    for (;;)
        pause();
    return data;
}

static void *cancelled(void *data)
{
    use(gc_malloc(32));
    return gc_blocking(sleep_in_pause, data);
}

static void wait_until_inside(void)
{
    while (sem_wait(&inside) != 0)
        CHECK(errno == EINTR, "sem_wait: %s", strerror(errno));
}

static void garbage(void)
{
    int i;
    for (i = 0; i < 10000; i++)
        use(gc_malloc(64));
}

int main(void)
{
    pthread_t thread;
    void *result;
    int i;

    CHECK(pipe(pipe_ends) == 0 && sem_init(&inside, 0, 0) == 0, "pipe or semaphore: %s", strerror(errno));
    CHECK(pthread_create(&thread, NULL, holder, NULL) == 0, "no thread");
    wait_until_inside();
    for (i = 0; i < COLLECTIONS; i++) {
        garbage();
        gc_collect();
    }
    CHECK(stats().stops_abandoned == 0, "%lu stops were abandoned", (unsigned long)stats().stops_abandoned);
    CHECK(write(pipe_ends[1], "x", 1) == 1, "write: %s", strerror(errno));
    CHECK(pthread_join(thread, NULL) == 0, "join");

    CHECK(pthread_create(&thread, NULL, leaver, &inside) == 0, "no thread");
    wait_until_inside();
    CHECK(pthread_join(thread, &result) == 0 && result == &inside, "a thread that ended inside gave %p", result);
    gc_collect();

    CHECK(pthread_create(&thread, NULL, cancelled, NULL) == 0, "no thread");
    wait_until_inside();
    gc_collect();
    CHECK(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0, "cancel");
    CHECK(result == PTHREAD_CANCELED, "a thread cancelled inside gave %p", result);
    gc_collect();
    await_threads(1);
    return 0;
}
