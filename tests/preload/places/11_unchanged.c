/* Row 11: the only pointer is written to a large mapping that had not been written to for some collections, and moves on
 * to another page after some more.
 * blind: written
 */
#include "unchanged.h"

static void put(void)
{
    *large_page(1000) = (uintptr_t)victim_new();
}

static void move(void)
{
    *large_page(9000) = *large_page(1000);
    *large_page(1000) = 0;
}

int main(void)
{
    large_make(NULL);
    run(put);
    churn();
    run(move);
    churn();
    return judge((struct victim *)*large_page(9000));
}
