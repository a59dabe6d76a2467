/*
 * Start-up: processes as small as `ls`, one after another. Each allocates a hundred objects, frees most of them, and
 * ends. The libraries of the allocator are loaded by each of them anew.
 *
 *     start [--processes N]
 *
 * An operation is a process from its start to its end; child_rss_kb is the largest peak among them.
 */
#include "report.h"

#include <spawn.h>
#include <sys/wait.h>

enum { OBJECTS = 100, SIZE_MIN = 16, SIZES = 512, KEPT_EACH = 4 };

extern char **environ;

static uint64_t *objects[OBJECTS];

/* What one of the processes does. */
static int child(void)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < OBJECTS; i++) {
        objects[i] = alloc_scanned(SIZE_MIN + mix(i) % SIZES);
        objects[i][0] = i;
    }
    for (uint64_t i = 0; i < OBJECTS; i++) {
        sum += objects[i][0];
        if (i % KEPT_EACH != 0)
            alloc_free(objects[i]);
    }
    return sum == OBJECTS * (OBJECTS - 1) / 2 ? 0 : 1;
}

/* Runs one process and returns its peak of the resident set. */
static long run_child(void)
{
    char *const words[] = { "start", "--child", "1", NULL };
    pid_t pid;
    int status;
    struct rusage usage;
    if (posix_spawn(&pid, "/proc/self/exe", NULL, NULL, words, environ) != 0 || wait4(pid, &status, 0, &usage) != pid
        || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "start: a process did not start, or did not end well\n");
        exit(1);
    }
    return usage.ru_maxrss;
}

int main(int argc, char **argv)
{
    char figures[64];
    alloc_init();
    if (argument(argc, argv, "--child", 0) == 1)
        return child();
    unsigned long processes = argument(argc, argv, "--processes", 500);
    long child_kb = 0;
    double started = report_now();
    for (unsigned long i = 0; i < processes; i++) {
        long rss_kb = run_child();
        if (rss_kb > child_kb)
            child_kb = rss_kb;
    }
    snprintf(figures, sizeof figures, "child_rss_kb=%ld", child_kb);
    report_operations("start", 1, started, processes, processes, figures);
    return 0;
}
