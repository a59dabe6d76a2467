/* Row 12: the only pointer is in a memory file that is mapped for reading only, and was written by a call.
 * blind: shared
 */
#include "preload.h"

#include <sys/mman.h>

static int file;
static struct victim *const *place;

static void put(void)
{
    struct victim *victim = victim_new();
    NEED(pwrite(file, &victim, sizeof victim, 5000) == sizeof victim);
}

int main(void)
{
    file = memfd_create("place", MFD_CLOEXEC);
    NEED(file >= 0 && ftruncate(file, 1 << 16) == 0);
    place = mmap(NULL, 1 << 16, PROT_READ, MAP_SHARED, file, 0);
    NEED(place != MAP_FAILED);
    run(put);
    churn();
    return judge(place[5000 / sizeof *place]);
}
