/* Several threads fork at once while another collects: each child finds no lock held by a thread that it has not, and
 * collects too. */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

enum { FORKERS = 3, FORKS = 20, DEADLINE_SECONDS = 30 };

static volatile int finished;

static void *collect_beside(void *data)
{
    while (!finished)
        gc_collect();
    return data;
}

static void *fork_often(void *data)
{
    int i;
    for (i = 0; i < FORKS; i++) {
        int status = -1;
        pid_t child = fork();
        if (child == 0) {
            alarm(DEADLINE_SECONDS);
            gc_collect();
            _exit(gc_malloc(100) == NULL);
        }
        CHECK(child > 0 && waitpid(child, &status, 0) == child, "fork: %s", strerror(errno));
        CHECK(status == 0, "child %d ended with status %#x", i, (unsigned)status);
    }
    return data;
}

int main(void)
{
    pthread_t collecting, forking[FORKERS];
    int i;
    CHECK(pthread_create(&collecting, NULL, collect_beside, NULL) == 0, "no thread");
    for (i = 0; i < FORKERS; i++)
        CHECK(pthread_create(&forking[i], NULL, fork_often, NULL) == 0, "no thread");
    for (i = 0; i < FORKERS; i++)
        CHECK(pthread_join(forking[i], NULL) == 0, "join");
    finished = 1;
    CHECK(pthread_join(collecting, NULL) == 0, "join");
    return 0;
}
