/* A thread of a raw clone, which shares the thread-local storage of the thread that made it: both are stopped. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "check.h"

enum { STACK_BYTES = 1 << 20, COLLECTIONS = 10 };

static volatile int running, finished, ended;

static int spin(void *data)
{
    (void)data;
    running = 1;
    while (!finished)
        ;
    ended = 1;
    syscall(SYS_exit, 0);
    return 0;
}

static void *make_raw_thread(void *data)
{
    char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
    use(gc_malloc(16));
    CHECK(stack != MAP_FAILED && clone(spin, stack + STACK_BYTES, flags, NULL) > 0, "clone: %s", strerror(errno));
    while (!ended)
        sched_yield();
    return data;
}

int main(void)
{
    pthread_t thread;
    int i;
    CHECK(pthread_create(&thread, NULL, make_raw_thread, NULL) == 0, "no thread");
    while (!running)
        sched_yield();
    for (i = 0; i < COLLECTIONS; i++)
        gc_collect();
    CHECK(stats().stops_abandoned == 0 && gc_collections() == COLLECTIONS, "%lu collections, %lu abandoned",
          gc_collections(), (unsigned long)stats().stops_abandoned);
    finished = 1;
    CHECK(pthread_join(thread, NULL) == 0, "join");
    return 0;
}
