/* A futex by syscall waits in vain, and its time. */
#include "calls.h"

#include <linux/futex.h>

static uint32_t word;

void call(void)
{
    long long start = now_ns(CLOCK_MONOTONIC);
    ended_after(start, syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &(struct timespec){ 0, LIMIT_NS }, NULL, 0));
}
