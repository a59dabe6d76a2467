/* Row 14: the only pointer is in the program's static data, in a page that nobody may read or write for a while.
 * blind: closed
 */
#include "preload.h"

#include <sys/mman.h>

enum { PAGE = 4096 };

static struct {
    struct victim *place;
    char rest[PAGE - sizeof(void *)];
} kept __attribute__((aligned(PAGE))) = { .rest = "not zero" };

static void put(void)
{
    kept.place = victim_new();
}

int main(void)
{
    run(put);
    NEED(mprotect(&kept, sizeof kept, PROT_NONE) == 0);
    churn();
    NEED(mprotect(&kept, sizeof kept, PROT_READ | PROT_WRITE) == 0);
    return judge(kept.place);
}
