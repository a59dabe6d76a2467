/* Row 11: the only pointer is written to such a mapping after the program has closed every descriptor, and again later.
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
    for (int i = 3; i < 2000; i++)
        close(i);
    run(put);
    churn();
    run(move);
    churn();
    return judge((struct victim *)*large_page(9000));
}
