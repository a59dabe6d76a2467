/* Row 11: the only pointer is in memory that the program has got by moving its break.
 * blind: brk
 */
#include "preload.h"

static struct victim **place;

static void put(void)
{
    place[100] = victim_new();
}

int main(void)
{
    place = sbrk(1 << 16);
    NEED(place != (void *)-1);
    run(put);
    churn();
    return judge(place[100]);
}
