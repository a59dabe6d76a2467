/* flock waits for a lock that another thread gives back. */
#include "calls.h"

#include <sys/file.h>

static int mine, other;
static atomic_int is_taken;

void prepare(void)
{
    char name[] = "/tmp/calls-XXXXXX";
    NEED((mine = mkstemp(name)) >= 0 && (other = open(name, O_RDWR)) >= 0);
    unlink(name);
}

void partner(void)
{
    NEED(flock(other, LOCK_EX) == 0);
    is_taken = 1;
    linger();
    NEED(flock(other, LOCK_UN) == 0);
}

void call(void)
{
    while (!is_taken)
        sched_yield();
    is_taken = 0;
    ended(flock(mine, LOCK_EX));
    flock(mine, LOCK_UN);
}
