/* splice waits for bytes in a pipe, and for room behind it. */
#include "calls.h"

static int from[2], to[2];

void prepare(void)
{
    fill_big();
    NEED(pipe(from) == 0 && pipe(to) == 0);
    NEED(fcntl(from[1], F_SETPIPE_SZ, 4 * BUFSIZ) >= 0);
}

void partner(void)
{
    linger();
    put(from[1], big, BUFSIZ);
    drain(to[0], BUFSIZ);
}

void call(void)
{
    ended(splice(from[0], NULL, to[1], NULL, BUFSIZ, 0));
}
