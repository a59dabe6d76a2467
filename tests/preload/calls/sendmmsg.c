/* sendmmsg with a time limit sends two messages, each all of it. */
#define ROUNDS 8
#include "calls.h"

#include <sys/uio.h>

static int pair[2];

void prepare(void)
{
    fill_big();
    connected(pair, SOCK_STREAM, SO_SNDTIMEO);
}

void partner(void)
{
    linger();
    drain(pair[1], BIG);
}

void call(void)
{
    struct iovec parts[2] = { { big, BIG / 2 }, { big + BIG / 2, BIG / 2 } };
    struct mmsghdr messages[2] = { 0 };
    for (int i = 0; i < 2; i++)
        messages[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i], .msg_iovlen = 1 };
    ended(sendmmsg(pair[0], messages, 2, 0));
    ended(messages[0].msg_len);
    ended(messages[1].msg_len);
}
