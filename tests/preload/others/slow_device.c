/* A thread that makes room in a memory file cannot be stopped before that is done: no signal reaches it there. Collections
 * do not wait for it: many come and go during one call.
 */
#include "preload.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

enum { TRIES = 20, ROOM = 256 << 20, MANY = 10 };

static int file;
/* The number of the call that is being made; 0: none. */
static atomic_int call, is_over;
static atomic_int collections;

static void *collect(void *unused)
{
    const struct timespec pause = { 0, 1000000 };
    while (!is_over) {
        nanosleep(&pause, NULL);
        int before = call;
        malloc_trim(0);
        if (before != 0 && call == before)
            collections++;
    }
    return unused;
}

static int make_room(int kind)
{
    switch (kind) {
    case 0:
        return fallocate(file, 0, 0, ROOM);
    case 1:
        return posix_fallocate(file, 0, ROOM);
    default:
        return (int)syscall(SYS_fallocate, file, 0, 0L, (long)ROOM);
    }
}

int main(void)
{
    pthread_t collector;
    NEED((file = memfd_create("room", 0)) >= 0);
    NEED(pthread_create(&collector, NULL, collect, NULL) == 0);
    for (int kind = 0; kind < 3; kind++) {
        int most = 0;
        for (int try = 1; try <= TRIES && most < MANY; try++) {
            NEED(ftruncate(file, 0) == 0);
            collections = 0;
            call = try;
            NEED(make_room(kind) == 0);
            call = 0;
            most = collections > most ? collections : most;
        }
        puts(most < MANY ? "waited for" : "not waited for");
    }
    is_over = 1;
    NEED(pthread_join(collector, NULL) == 0);
    return 0;
}
