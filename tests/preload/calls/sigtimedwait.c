/* sigtimedwait waits in vain, and its time. */
#include "calls.h"

static sigset_t set;

void prepare(void)
{
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    NEED(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
}

void call(void)
{
    long long start = now_ns(CLOCK_MONOTONIC);
    ended_after(start, sigtimedwait(&set, NULL, &(struct timespec){ 0, LIMIT_NS }));
}
