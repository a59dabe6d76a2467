/* Row 15: the only pointer has a tag in its low bits.
 * blind: files
 */
#include "preload.h"

static uintptr_t place = 1;

static void put(void)
{
    place = (uintptr_t)victim_new() | 7;
}

int main(void)
{
    run(put);
    churn();
    return judge((struct victim *)(place & ~(uintptr_t)7));
}
