/* Row 14: the only pointer is in shared memory that nobody may read or write for a while.
 * blind: shared
 */
#include "preload.h"

#include <sys/mman.h>

enum { BYTES = 1 << 16 };

static struct victim **place;

static void put(void)
{
    place[5000] = victim_new();
}

int main(void)
{
    place = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    NEED(place != MAP_FAILED);
    run(put);
    NEED(mprotect(place, BYTES, PROT_NONE) == 0);
    churn();
    NEED(mprotect(place, BYTES, PROT_READ) == 0);
    return judge(place[5000]);
}
