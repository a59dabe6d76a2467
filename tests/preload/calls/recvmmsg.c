/* recvmmsg with a time limit waits for several messages. */
#define ROUNDS 40
#include "calls.h"

#include <sys/uio.h>

static int pair[2];

void prepare(void)
{
    connected(pair, SOCK_DGRAM, SO_RCVTIMEO);
}

void partner(void)
{
    linger();
    for (int i = 0; i < 4; i++) {
        put(pair[1], "x", 1);
        sched_yield();
    }
}

void call(void)
{
    struct iovec part = { room, sizeof room };
    struct mmsghdr messages[4] = { 0 };
    for (int i = 0; i < 4; i++)
        messages[i].msg_hdr = (struct msghdr){ .msg_iov = &part, .msg_iovlen = 1 };
    ended(recvmmsg(pair[0], messages, 4, 0, NULL));
}
