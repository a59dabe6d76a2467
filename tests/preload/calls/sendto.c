/* sendto with a time limit sends a megabyte, all of it. */
#include "sender.h"

void prepare(void)
{
    send_by_socket(SO_SNDTIMEO);
}

void call(void)
{
    ended(sendto(to, big, BIG, 0, NULL, 0));
}
