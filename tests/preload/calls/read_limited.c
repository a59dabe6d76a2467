/* read from a socket with a time limit waits for a byte. */
#include "calls.h"

static int pair[2];

void prepare(void)
{
    connected(pair, SOCK_STREAM, SO_RCVTIMEO);
}

void partner(void)
{
    linger();
    put(pair[1], "x", 1);
}

void call(void)
{
    ended(read(pair[0], room, sizeof room));
}
