/* Row 19: the only pointer is boxed in a number that is none: the highest bits say what it is.
 * blind: files
 * options: mask=48
 */
#include "preload.h"

static uint64_t place = 1;

static void put(void)
{
    place = (uint64_t)0xfffc << 48 | (uintptr_t)victim_new();
}

int main(void)
{
    run(put);
    churn();
    return judge((struct victim *)(place & ~((uint64_t)0xffff << 48)));
}
