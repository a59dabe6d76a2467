/* sendfile sends a megabyte of a file, all of it. */
#include "sender.h"

#include <sys/sendfile.h>

static int file;

void prepare(void)
{
    char name[] = "/tmp/calls-XXXXXX";
    send_by_socket(0);
    NEED((file = mkstemp(name)) >= 0);
    unlink(name);
    put(file, big, BIG);
}

void call(void)
{
    off_t offset = 0;
    ended(sendfile(to, file, &offset, BIG));
}
