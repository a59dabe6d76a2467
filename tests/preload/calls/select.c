/* select waits for nothing, and its time. */
#include "calls.h"

#include <sys/select.h>

void call(void)
{
    long long start = now_ns(CLOCK_MONOTONIC);
    ended_after(start, select(0, NULL, NULL, NULL, &(struct timeval){ 0, LIMIT_NS / 1000 }));
}
