/* readv from a socket with a time limit waits for a byte. */
#include "calls.h"

#include <sys/uio.h>

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
    struct iovec parts[2] = { { room, 1 }, { room + 1, 1 } };
    ended(readv(pair[0], parts, 2));
}
