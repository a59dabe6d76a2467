/* sendmsg sends a megabyte, all of it. */
#include "sender.h"

void prepare(void)
{
    send_by_socket(0);
}

void call(void)
{
    struct iovec parts[2] = { half_of_big(0), half_of_big(1) };
    ended(sendmsg(to, &(struct msghdr){ .msg_iov = parts, .msg_iovlen = 2 }, 0));
}
