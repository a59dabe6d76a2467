/* sem_clockwait waits in vain, until its time by the clock that it names. */
#include "calls.h"

#include <semaphore.h>

static sem_t never;

void prepare(void)
{
    NEED(sem_init(&never, 0, 0) == 0);
}

void call(void)
{
    long long start = now_ns(CLOCK_MONOTONIC);
    struct timespec end = in_ns(CLOCK_MONOTONIC, LIMIT_NS);
    ended_after(start, sem_clockwait(&never, CLOCK_MONOTONIC, &end));
}
