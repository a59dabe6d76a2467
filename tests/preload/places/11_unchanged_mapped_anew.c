/* Row 11: the only pointer is in a new mapping at the same addresses.
 * blind: anonymous
 */
#include "unchanged.h"

static void put(void)
{
    *large_page(1000) = (uintptr_t)victim_new();
}

int main(void)
{
    large_make(NULL);
    uintptr_t *before = large;
    NEED(munmap(large, LARGE_BYTES) == 0);
    NEED(mmap(before, LARGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == before);
    run(put);
    churn();
    return judge((struct victim *)*large_page(1000));
}
