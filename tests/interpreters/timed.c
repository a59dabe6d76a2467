/* timed FILE COMMAND...: runs a command and writes to FILE what it took: seconds of processor time, and its largest
 * resident set in KiB. Exits as the command does, 128 + N where signal N ended it. */
#define _DEFAULT_SOURCE
#include <stdio.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static double seconds(struct timeval t) { return (double)t.tv_sec + (double)t.tv_usec / 1e6; }

int main(int argc, char **argv) {
    struct rusage used;
    int status;
    FILE *out;
    if (argc < 3) {
        fprintf(stderr, "usage: timed FILE COMMAND...\n");
        return 2;
    }
    pid_t child = vfork();
    if (child == 0) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &used) != child || (out = fopen(argv[1], "w")) == NULL) {
        perror("timed");
        return 2;
    }
    fprintf(out, "%.3f %ld\n", seconds(used.ru_utime) + seconds(used.ru_stime), used.ru_maxrss);
    fclose(out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
