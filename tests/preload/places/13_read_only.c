/* Row 13: the only pointer is in memory that the program has made read-only since.
 * blind: closed
 */
#include "preload.h"

#include <sys/mman.h>

enum { BYTES = 1 << 16 };

static struct victim **place;

static void put(void)
{
    place[100] = victim_new();
}

int main(void)
{
    place = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(place != MAP_FAILED);
    run(put);
    NEED(mprotect(place, BYTES, PROT_READ) == 0);
    churn();
    return judge(place[100]);
}
