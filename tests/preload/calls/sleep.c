/* sleep sleeps a second, and thrd_sleep its time. */
#define ROUNDS 102
#include "calls.h"

#include <threads.h>

void call(void)
{
    long long start = now_ns(CLOCK_MONOTONIC);
    if (begun_by_caller <= 2) {
        ended((long)sleep(1));
        if (now_ns(CLOCK_MONOTONIC) - start < 1000000000)
            printf("came back early\n");
        return;
    }
    struct timespec limit = { 0, LIMIT_NS };
    ended_after(start, thrd_sleep(&limit, NULL));
}
