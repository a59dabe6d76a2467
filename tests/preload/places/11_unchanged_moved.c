/* Row 11: such a mapping is moved by mremap, and a pointer is written to it then.
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
    void *elsewhere = mmap(NULL, LARGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(elsewhere != MAP_FAILED);
    large = mremap(large, LARGE_BYTES, LARGE_BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, elsewhere);
    NEED(large == elsewhere);
    malloc_trim(0);
    run(put);
    churn();
    return judge((struct victim *)*large_page(1000));
}
