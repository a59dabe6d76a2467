/* A callback of dl_iterate_phdr forks: the loader's lock is held then, and another thread waits for it in order to
 * collect. The fork happens all the same, and child and parent collect after it. */
#define _GNU_SOURCE
#include <link.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

enum { DEADLINE_SECONDS = 30 };

static volatile int is_iterating, collector;

static void *collect_when_told(void *data)
{
    while (!is_iterating)
        sched_yield();
    collector = (int)syscall(SYS_gettid);
    gc_collect();
    return data;
}

static int sleeps(int thread)
{
    char path[64], line[512], state = '?';
    FILE *file;
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
    file = fopen(path, "r");
    if (file != NULL) {
        if (fgets(line, sizeof line, file) != NULL && strrchr(line, ')') != NULL)
            state = strrchr(line, ')')[2];
        fclose(file);
    }
    return state == 'S';
}

static int fork_here(struct dl_phdr_info *information, size_t size, void *data)
{
    pid_t child;
    int status = -1;
    (void)information;
    (void)size;
    is_iterating = 1;
    while (collector == 0 || !sleeps(collector))
        sched_yield();
    child = fork();
    if (child == 0) {
        alarm(DEADLINE_SECONDS);
        gc_collect();
        _exit(gc_malloc(100) == NULL || gc_collections() == 0);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child, "fork: %s", strerror(errno));
    CHECK(status == 0, "the child ended with status %#x", (unsigned)status);
    *(int *)data = 1;
    return 1;
}

int main(void)
{
    pthread_t thread;
    int has_forked = 0;
    use(gc_malloc(16));
    CHECK(pthread_create(&thread, NULL, collect_when_told, NULL) == 0, "no thread");
    dl_iterate_phdr(fork_here, &has_forked);
    CHECK(has_forked, "dl_iterate_phdr called nothing");
    CHECK(pthread_join(thread, NULL) == 0, "join");
    gc_collect();
    CHECK(gc_collections() >= 2, "%lu collections", gc_collections());
    return 0;
}
