/* sendmmsg with a time limit sends two messages, each all of it. */
#include "sender.h"

void prepare(void)
{
    send_by_socket(SO_SNDTIMEO);
}

void call(void)
{
    struct iovec parts[2] = { half_of_big(0), half_of_big(1) };
    struct mmsghdr messages[2] = { 0 };
    for (int i = 0; i < 2; i++)
        messages[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i], .msg_iovlen = 1 };
    ended(sendmmsg(to, messages, 2, 0));
    ended(messages[0].msg_len);
    ended(messages[1].msg_len);
}
