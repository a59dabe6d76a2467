/* tee waits for bytes in a pipe. */
#include "calls.h"

static int from[2], to[2];

void prepare(void)
{
    fill_big();
    NEED(pipe(from) == 0 && pipe(to) == 0);
}

void partner(void)
{
    linger();
    put(from[1], big, 512);
    drain(to[0], 512);
}

void call(void)
{
    ended(tee(from[0], to[1], 512, 0));
    drain(from[0], 512);
}
