/* poll waits for nothing, and its time. */
#include "calls.h"

#include <poll.h>

void call(void)
{
    long long start = now_ns(CLOCK_MONOTONIC);
    ended_after(start, poll(NULL, 0, LIMIT_NS / 1000000));
}
