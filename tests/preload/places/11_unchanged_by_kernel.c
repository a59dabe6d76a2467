/* Row 11: the only pointer is written to such a mapping by the kernel, which reads it from a pipe there.
 * blind: written
 */
#include "unchanged.h"

static int ends[2];

static void put(void)
{
    struct victim *victim = victim_new();
    NEED(write(ends[1], &victim, sizeof victim) == sizeof victim);
    NEED(read(ends[0], large_page(1000), sizeof victim) == sizeof victim);
}

int main(void)
{
    NEED(pipe(ends) == 0);
    large_make(NULL);
    run(put);
    churn();
    return judge((struct victim *)*large_page(1000));
}
