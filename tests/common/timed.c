/* timed FILE COMMAND...: runs a command and writes to FILE what it took: seconds of processor time, the largest resident set
 * in KiB of it or of any process that it waited for, and seconds by the clock. Exits as the command does, 128 + N where
 * signal N ended it. */
#define _DEFAULT_SOURCE
#include <stdio.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t) { return (double)t.tv_sec + (double)t.tv_usec / 1e6; }

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    struct rusage used;
    int status;
    FILE *out;
    if (argc < 3) {
        fprintf(stderr, "usage: timed FILE COMMAND...\n");
        return 2;
    }
    double begin = now();
    pid_t child = vfork();
    if (child == 0) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    int waited = child > 0 && wait4(child, &status, 0, &used) == child;
    double end = now();
    if (!waited || (out = fopen(argv[1], "w")) == NULL) {
        perror("timed");
        return 2;
    }
    fprintf(out, "%.3f %ld %.3f\n", seconds(used.ru_utime) + seconds(used.ru_stime), used.ru_maxrss, end - begin);
    fclose(out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
