/* aio_suspend waits for a read from an empty pipe, and its time. */
#include "calls.h"

#include <aio.h>

static int empty[2];
static struct aiocb reading;
static const struct aiocb *const list[1] = { &reading };

void prepare(void)
{
    NEED(pipe(empty) == 0);
    reading.aio_fildes = empty[0];
    reading.aio_buf = room;
    reading.aio_nbytes = 1;
    NEED(aio_read(&reading) == 0);
}

void call(void)
{
    long long start = now_ns(CLOCK_MONOTONIC);
    ended_after(start, aio_suspend(list, 1, &(struct timespec){ 0, LIMIT_NS }));
}
