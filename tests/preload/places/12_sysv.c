/* Row 12: the only pointer is in a segment of System V's shared memory.
 * blind: shared
 */
#include "preload.h"

#include <sys/ipc.h>
#include <sys/shm.h>

static struct victim **place;

static void put(void)
{
    place[100] = victim_new();
}

int main(void)
{
    int segment = shmget(IPC_PRIVATE, 1 << 16, IPC_CREAT | 0600);
    NEED(segment >= 0);
    place = shmat(segment, NULL, 0);
    NEED(shmctl(segment, IPC_RMID, NULL) == 0 && place != (void *)-1);
    run(put);
    churn();
    return judge(place[100]);
}
