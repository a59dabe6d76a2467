/* Row 16: the only pointer is to a member in the middle.
 * blind: files
 */
#include "preload.h"

static uint64_t *place = (uint64_t *)8;

static void put(void)
{
    place = &victim_new()->word[3];
}

int main(void)
{
    run(put);
    churn();
    return judge((struct victim *)(place - 3));
}
