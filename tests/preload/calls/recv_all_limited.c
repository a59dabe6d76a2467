/* recv with a time limit waits for as many bytes as it was told. */
#define ROUNDS 40
#include "calls.h"

static int pair[2];

void prepare(void)
{
    connected(pair, SOCK_STREAM, SO_RCVTIMEO);
}

void partner(void)
{
    linger();
    for (int i = 0; i < 16; i++) {
        put(pair[1], "x", 1);
        sched_yield();
    }
}

void call(void)
{
    ended(recv(pair[0], room, 16, MSG_WAITALL));
}
