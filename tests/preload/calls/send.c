/* send sends a megabyte, all of it. */
#include "sender.h"

void prepare(void)
{
    send_by_socket(0);
}

void call(void)
{
    ended(send(to, big, BIG, 0));
}
