/* Row 1: the only pointer is in static data that begins as zeros, further in than the last page of the file goes.
 * blind: anonymous,brk,files
 */
#include "preload.h"

static char before[1 << 16] UNUSED;
static struct victim *place[1 << 12];

static void put(void)
{
    before[1] = 1;
    place[1 << 11] = victim_new();
}

int main(void)
{
    run(put);
    churn();
    return judge(place[1 << 11]);
}
