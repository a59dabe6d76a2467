/* writev puts a megabyte into a pipe, all of it. */
#define ROUNDS 8
#include "calls.h"

#include <sys/uio.h>

static int pair[2];

void prepare(void)
{
    fill_big();
    NEED(pipe(pair) == 0);
}

void partner(void)
{
    linger();
    drain(pair[0], BIG);
}

void call(void)
{
    struct iovec parts[2] = { { big, BIG / 2 }, { big + BIG / 2, BIG / 2 } };
    ended(writev(pair[1], parts, 2));
}
