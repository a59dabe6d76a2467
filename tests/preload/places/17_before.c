/* Row 17: the only pointer lies one element before the start: an array that counts from one.
 * blind: files
 * options: before=8
 */
#include "preload.h"

static uintptr_t place = 8;

static void put(void)
{
    place = (uintptr_t)victim_new() - 8;
}

int main(void)
{
    run(put);
    churn();
    return judge((struct victim *)(place + 8));
}
