/* Waiting for requests, by syscall: none is over, and the time passes. */
#include "calls.h"

#include <linux/aio_abi.h>

static aio_context_t context;

void prepare(void)
{
    NEED(syscall(SYS_io_setup, 1, &context) == 0);
}

void call(void)
{
    long long start = now_ns(CLOCK_MONOTONIC);
    struct io_event event;
    ended_after(start, syscall(SYS_io_getevents, context, 1L, 1L, &event, &(struct timespec){ 0, LIMIT_NS }));
}
