/* recvmsg with a time limit waits for a message. */
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
    put(pair[1], "x", 1);
}

void call(void)
{
    struct iovec part = { room, sizeof room };
    ended(recvmsg(pair[0], &(struct msghdr){ .msg_iov = &part, .msg_iovlen = 1 }, 0));
}
