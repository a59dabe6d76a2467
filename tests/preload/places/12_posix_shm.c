/* Row 12: the only pointer is in an object of POSIX shared memory, which still has its name.
 * blind: shared
 * link: -lrt
 */
#include "preload.h"

#include <fcntl.h>
#include <sys/mman.h>

static struct victim **place;

static void put(void)
{
    place[100] = victim_new();
}

int main(void)
{
    char name[64];
    snprintf(name, sizeof name, "/preload-%d", (int)getpid());
    int file = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    NEED(file >= 0 && ftruncate(file, 1 << 16) == 0);
    place = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    NEED(place != MAP_FAILED);
    run(put);
    churn();
    NEED(shm_unlink(name) == 0);
    return judge(place[100]);
}
