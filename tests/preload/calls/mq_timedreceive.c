/* mq_timedreceive waits in vain, until its time. */
#include "calls.h"

#include <mqueue.h>

static mqd_t queue;

void prepare(void)
{
    char name[64];
    snprintf(name, sizeof name, "/calls-%d", (int)getpid());
    NEED((queue = mq_open(name, O_CREAT | O_RDWR, 0600, NULL)) != -1);
    mq_unlink(name);
}

void call(void)
{
    long long start = now_ns(CLOCK_MONOTONIC);
    struct timespec end = in_ns(CLOCK_REALTIME, LIMIT_NS);
    ended_after(start, mq_timedreceive(queue, room, sizeof room, NULL, &end));
}
