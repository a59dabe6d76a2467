/* fcntl waits for a lock that another thread gives back. */
#include "calls.h"

static int mine, other;
static atomic_int is_taken;

static int lock(int fd, short kind)
{
    return fcntl(fd, F_OFD_SETLKW, &(struct flock){ .l_type = kind, .l_whence = SEEK_SET });
}

void prepare(void)
{
    char name[] = "/tmp/calls-XXXXXX";
    NEED((mine = mkstemp(name)) >= 0 && (other = open(name, O_RDWR)) >= 0);
    unlink(name);
}

void partner(void)
{
    NEED(lock(other, F_WRLCK) == 0);
    is_taken = 1;
    linger();
    NEED(lock(other, F_UNLCK) == 0);
}

void call(void)
{
    while (!is_taken)
        sched_yield();
    is_taken = 0;
    ended(lock(mine, F_WRLCK));
    lock(mine, F_UNLCK);
}
