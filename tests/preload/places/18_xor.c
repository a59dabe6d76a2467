/* Row 18: the only pointer is the difference of two, as in a list that is linked by XOR. No search can find it.
 * lost: yes
 */
#include "preload.h"

static uintptr_t place;

static void put(void)
{
    place = (uintptr_t)victim_new() ^ 0x5555555555555555u;
}

int main(void)
{
    run(put);
    churn();
    return verdict(victim_is_whole((struct victim *)(place ^ 0x5555555555555555u)));
}
