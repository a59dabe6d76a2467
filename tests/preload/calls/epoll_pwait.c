/* epoll_pwait waits for nothing, and its time. */
#include "calls.h"

#include <sys/epoll.h>

static int set;

void prepare(void)
{
    NEED((set = epoll_create1(0)) >= 0);
}

void call(void)
{
    long long start = now_ns(CLOCK_MONOTONIC);
    struct epoll_event event;
    ended_after(start, epoll_pwait(set, &event, 1, LIMIT_NS / 1000000, NULL));
}
