/* A call that begins before the first other thread does: in children, which begin with one thread. */
#define ROUNDS 1
#include "calls.h"

#include <sys/wait.h>

enum { CHILDREN = 20, COLLECTIONS = 20 };

static int pair[2];

static void *collect_and_read(void *unused)
{
    drain_from(pair[0], 0, BIG / 2);
    for (int i = 0; i < COLLECTIONS; i++)
        malloc_trim(0);
    drain_from(pair[0], BIG / 2, BIG);
    return unused;
}

static void be_child(void)
{
    pthread_t thread;
    NEED(pipe(pair) == 0);
    NEED(pthread_create(&thread, NULL, collect_and_read, NULL) == 0);
    _exit(write(pair[1], big, BIG) == BIG ? 0 : 1);
}

void prepare(void)
{
    fill_big();
    for (int i = 0; i < CHILDREN; i++) {
        int status = -1;
        pid_t child = fork();
        if (child == 0)
            be_child();
        NEED(waitpid(child, &status, 0) == child);
        ended(status);
    }
}

void call(void)
{
}
