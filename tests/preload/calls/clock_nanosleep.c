/* clock_nanosleep sleeps its time. */
#include "calls.h"

void call(void)
{
    long long start = now_ns(CLOCK_MONOTONIC);
    ended_after(start, clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){ 0, LIMIT_NS }, NULL));
}
