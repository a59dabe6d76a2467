/* Row 1: the only pointer is in static data.
 * blind: files
 */
#include "preload.h"

static struct victim *place = (struct victim *)1; /* in .data, not in .bss */

static void put(void)
{
    place = victim_new();
}

int main(void)
{
    run(put);
    churn();
    return judge(place);
}
