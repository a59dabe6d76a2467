/* What the programs share that send a megabyte to `to`: the partner drains `from` in small pieces. */
#ifndef SENDER_H
#define SENDER_H

#define ROUNDS 8
#include "calls.h"

#include <sys/uio.h>

static int from, to;

static inline void send_into_pipe(void)
{
    int ends[2];
    fill_big();
    NEED(pipe(ends) == 0);
    from = ends[0];
    to = ends[1];
}

/* `limit` is SO_SNDTIMEO, or zero for none. */
static inline void send_by_socket(int limit)
{
    int pair[2];
    fill_big();
    connected(pair, SOCK_STREAM, limit);
    from = pair[1];
    to = pair[0];
}

void partner(void)
{
    linger();
    drain(from, BIG);
}

static inline struct iovec half_of_big(int half)
{
    return (struct iovec){ big + half * (BIG / 2), BIG / 2 };
}

#endif
