/* Row 12: the only pointer is in anonymous memory that is shared with children.
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
    place = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    NEED(place != MAP_FAILED);
    run(put);
    churn();
    return judge(place[100]);
}
