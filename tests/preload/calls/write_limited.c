/* write sends a megabyte by a socket with a time limit, all of it. */
#include "sender.h"

void prepare(void)
{
    send_by_socket(SO_SNDTIMEO);
}

void call(void)
{
    ended(write(to, big, BIG));
}
