/* Row 14: the only pointer is in a page of the heap that nobody may read or write for a while.
 * blind: closed
 */
#include "preload.h"

#include <sys/mman.h>

enum { PAGE = 4096 };

static struct victim **place;

static void put(void)
{
    place[10] = victim_new();
}

int main(void)
{
    NEED(posix_memalign((void **)&place, PAGE, 4 * PAGE) == 0);
    memset(place, 0, 4 * PAGE);
    run(put);
    NEED(mprotect(place, PAGE, PROT_NONE) == 0);
    churn();
    NEED(mprotect(place, PAGE, PROT_READ | PROT_WRITE) == 0);
    return judge(place[10]);
}
