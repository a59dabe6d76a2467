/* Row 12: the only pointer is in a memory file that is mapped, and closed since.
 * blind: shared
 */
#include "preload.h"

#include <sys/mman.h>

static struct victim **place;

static void put(void)
{
    place[100] = victim_new();
}

int main(void)
{
    int file = memfd_create("place", MFD_CLOEXEC);
    NEED(file >= 0 && ftruncate(file, 1 << 20) == 0);
    place = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    NEED(place != MAP_FAILED && close(file) == 0);
    run(put);
    churn();
    return judge(place[100]);
}
