/* sendmsg sends a megabyte, all of it. */
#define ROUNDS 8
#include "calls.h"

#include <sys/uio.h>

static int pair[2];

void prepare(void)
{
    fill_big();
    connected(pair, SOCK_STREAM, 0);
}

void partner(void)
{
    linger();
    drain(pair[1], BIG);
}

void call(void)
{
    struct iovec parts[2] = { { big, BIG / 2 }, { big + BIG / 2, BIG / 2 } };
    ended(sendmsg(pair[0], &(struct msghdr){ .msg_iov = parts, .msg_iovlen = 2 }, 0));
}
