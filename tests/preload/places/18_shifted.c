/* Row 18: the only pointer is compressed to 32 bits by a shift. No search can find it.
 * lost: yes
 */
#include "preload.h"

static uintptr_t base;
static uint32_t place;

static void put(void)
{
    base = (uintptr_t)victim_new();
    place = (uint32_t)(base >> 4);
    base = base >> 36 << 4; /* the high half, which is no address */
}

int main(void)
{
    run(put);
    churn();
    return verdict(victim_is_whole((struct victim *)((base >> 4) << 36 | (uintptr_t)place << 4)));
}
