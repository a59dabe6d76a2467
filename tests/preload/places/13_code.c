/* Row 13: the only pointer is in the middle of an instruction that the program has made, in memory that may be run now.
 * blind: code
 */
#include "preload.h"

#include <sys/mman.h>

enum { BYTES = 1 << 16, ODD = 1003 };

static unsigned char *place;

/* mov rax, victim; ret */
static void put(void)
{
    struct victim *victim = victim_new();
    memcpy(place + ODD, "\x48\xb8", 2);
    memcpy(place + ODD + 2, &victim, sizeof victim);
    place[ODD + 2 + sizeof victim] = 0xc3;
}

int main(void)
{
    place = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(place != MAP_FAILED);
    run(put);
    NEED(mprotect(place, BYTES, PROT_READ | PROT_EXEC) == 0);
    churn();
    return judge(((struct victim * (*)(void))(uintptr_t)(place + ODD))());
}
