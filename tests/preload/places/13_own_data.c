/* Row 13: the only pointer is in the program's own static data, of which it has made whole pages read-only since.
 * blind: closed
 */
#include "preload.h"

#include <sys/mman.h>

enum { PAGE = 4096 };

static struct {
    char name[PAGE - sizeof(void *)];
    struct victim *place;
} settings __attribute__((aligned(PAGE))) = { .name = "not zero" };

static void put(void)
{
    settings.place = victim_new();
}

int main(void)
{
    run(put);
    NEED(mprotect(&settings, sizeof settings, PROT_READ) == 0);
    churn();
    return judge(settings.place);
}
