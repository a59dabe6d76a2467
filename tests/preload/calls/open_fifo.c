/* Opening a pipe by its name waits for the other side. */
#include "calls.h"

#include <sys/stat.h>

static char name[64];

void prepare(void)
{
    snprintf(name, sizeof name, "/tmp/calls-%d", (int)getpid());
    NEED(mkfifo(name, 0600) == 0);
}

void partner(void)
{
    int fd;
    linger();
    NEED((fd = open(name, O_WRONLY)) >= 0);
    close(fd);
}

void call(void)
{
    int fd = open(name, O_RDONLY);
    ended(fd < 0 ? fd : 0);
    /* Until the writer has gone, or the next round would meet it. */
    while (fd >= 0 && read(fd, room, 1) != 0) {
    }
    close(fd);
    if (begun_by_caller == ROUNDS)
        unlink(name);
}
