/* semop waits until another thread adds. */
#include "calls.h"

#include <sys/ipc.h>
#include <sys/sem.h>

static int set;

void prepare(void)
{
    NEED((set = semget(IPC_PRIVATE, 1, 0600)) >= 0);
}

void partner(void)
{
    linger();
    NEED(semop(set, &(struct sembuf){ 0, 1, 0 }, 1) == 0);
}

void call(void)
{
    ended(semop(set, &(struct sembuf){ 0, -1, 0 }, 1));
    if (begun_by_caller == ROUNDS)
        NEED(semctl(set, 0, IPC_RMID) == 0);
}
