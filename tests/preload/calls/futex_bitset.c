/* A futex by syscall waits in vain, until a time. */
#include "calls.h"

#include <linux/futex.h>

static uint32_t word;

void call(void)
{
    long long start = now_ns(CLOCK_MONOTONIC);
    struct timespec end = in_ns(CLOCK_MONOTONIC, LIMIT_NS);
    ended_after(start, syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 0, &end, NULL, FUTEX_BITSET_MATCH_ANY));
}
