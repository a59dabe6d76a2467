/* Row 11: the only pointer is in a private mapping, in which the stack of a thread lies behind it. The thread forks, and is the
 * first thread of the child.
 * blind: anonymous
 */
#include "preload.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { STACK_BYTES = 1 << 20 };

static struct victim **place;

static void put(void)
{
    place[100] = victim_new();
}

static void *fork_and_churn(void *unused)
{
    int status = -1;
    pid_t child;
    fflush(stdout);
    child = fork();
    if (child == 0) {
        churn();
        judge(place[100]);
        fflush(stdout);
        _exit(0);
    }
    NEED(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    return unused;
}

int main(void)
{
    pthread_t thread;
    pthread_attr_t attributes;
    char *mapping = mmap(NULL, 2 * STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(mapping != MAP_FAILED);
    place = (struct victim **)mapping;
    run(put);
    NEED(pthread_attr_init(&attributes) == 0);
    NEED(pthread_attr_setstack(&attributes, mapping + STACK_BYTES, STACK_BYTES) == 0);
    NEED(pthread_create(&thread, &attributes, fork_and_churn, NULL) == 0);
    NEED(pthread_join(thread, NULL) == 0);
    return 0;
}
