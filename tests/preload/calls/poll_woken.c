/* poll waits for a byte. */
#include "calls.h"

#include <poll.h>

static int pair[2];

void prepare(void)
{
    connected(pair, SOCK_STREAM, 0);
}

void partner(void)
{
    linger();
    put(pair[1], "x", 1);
}

void call(void)
{
    struct pollfd wanted = { pair[0], POLLIN, 0 };
    ended(poll(&wanted, 1, 20000));
    NEED(read(pair[0], room, 1) == 1);
}
