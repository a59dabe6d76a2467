/* recvfrom with a time limit waits for a message. */
#include "calls.h"

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
    ended(recvfrom(pair[0], room, sizeof room, 0, NULL, NULL));
}
