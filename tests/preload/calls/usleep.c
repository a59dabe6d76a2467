/* usleep sleeps its time. */
#include "calls.h"

void call(void)
{
    long long start = now_ns(CLOCK_MONOTONIC);
    ended_after(start, usleep(LIMIT_NS / 1000));
}
