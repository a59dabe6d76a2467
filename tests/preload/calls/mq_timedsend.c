/* mq_timedsend waits in vain for room in a queue, until its time. */
#include "calls.h"

#include <mqueue.h>

static mqd_t queue;

void prepare(void)
{
    char name[64];
    struct mq_attr one = { .mq_maxmsg = 1, .mq_msgsize = 8 };
    snprintf(name, sizeof name, "/calls-%d", (int)getpid());
    NEED((queue = mq_open(name, O_CREAT | O_RDWR, 0600, &one)) != -1);
    mq_unlink(name);
    NEED(mq_send(queue, "full", 5, 0) == 0);
}

void call(void)
{
    long long start = now_ns(CLOCK_MONOTONIC);
    struct timespec end = in_ns(CLOCK_REALTIME, LIMIT_NS);
    ended_after(start, mq_timedsend(queue, "more", 5, 0, &end));
}
