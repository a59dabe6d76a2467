/* semtimedop waits in vain, and its time. */
#include "calls.h"

#include <sys/ipc.h>
#include <sys/sem.h>

static int set;

void prepare(void)
{
    NEED((set = semget(IPC_PRIVATE, 1, 0600)) >= 0);
}

void call(void)
{
    long long start = now_ns(CLOCK_MONOTONIC);
    ended_after(start, semtimedop(set, &(struct sembuf){ 0, -1, 0 }, 1, &(struct timespec){ 0, LIMIT_NS }));
    if (begun_by_caller == ROUNDS)
        NEED(semctl(set, 0, IPC_RMID) == 0);
}
