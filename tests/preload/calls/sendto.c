/* sendto with a time limit sends a megabyte, all of it. */
#define ROUNDS 8
#include "calls.h"

static int pair[2];

void prepare(void)
{
    fill_big();
    connected(pair, SOCK_STREAM, SO_SNDTIMEO);
}

void partner(void)
{
    linger();
    drain(pair[1], BIG);
}

void call(void)
{
    ended(sendto(pair[0], big, BIG, 0, NULL, 0));
}
