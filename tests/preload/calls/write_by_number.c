/* write by syscall puts a megabyte into a pipe, all of it. */
#define ROUNDS 8
#include "calls.h"

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
    ended(syscall(SYS_write, pair[1], big, (size_t)BIG));
}
