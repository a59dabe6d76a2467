/* clock_nanosleep sleeps until a time. */
#include "calls.h"

void call(void)
{
    long long start = now_ns(CLOCK_MONOTONIC);
    struct timespec end = in_ns(CLOCK_MONOTONIC, LIMIT_NS);
    ended_after(start, clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL));
}
