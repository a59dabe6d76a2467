/* sendfile sends a megabyte of a file, all of it. */
#define ROUNDS 8
#include "calls.h"

#include <sys/sendfile.h>

static int pair[2], file;

void prepare(void)
{
    char name[] = "/tmp/calls-XXXXXX";
    fill_big();
    connected(pair, SOCK_STREAM, 0);
    NEED((file = mkstemp(name)) >= 0);
    unlink(name);
    put(file, big, BIG);
}

void partner(void)
{
    linger();
    drain(pair[1], BIG);
}

void call(void)
{
    off_t offset = 0;
    ended(sendfile(pair[0], file, &offset, BIG));
}
