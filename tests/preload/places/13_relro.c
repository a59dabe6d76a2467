/* Row 13: the only pointer is in data that the loader makes read-only after it has relocated it, and the program has
 * opened and closed again.
 * blind: closed
 */
#include "preload.h"

#include <sys/mman.h>

enum { PAGE = 4096 };

/* With a relocation it goes to .data.rel.ro. */
static const struct {
    const char *const *names[PAGE / sizeof(void *)];
    struct victim *place;
} sealed __attribute__((aligned(PAGE))) = { .names = { (const char *const *)&sealed } };

static void protect(int protection)
{
    NEED(mprotect((void *)&sealed, 2 * PAGE, protection) == 0);
}

static void put(void)
{
    protect(PROT_READ | PROT_WRITE);
    *(struct victim *volatile *)&sealed.place = victim_new();
    protect(PROT_READ);
}

int main(void)
{
    run(put);
    churn();
    return judge(*(struct victim *const volatile *)&sealed.place);
}
