/* Row 13: the only pointer is in the middle of an instruction of the program's own text, which it has patched.
 * blind: code
 */
#include "preload.h"

#include <sys/mman.h>

enum { PAGE = 4096 };

/* mov rax, ...; ret */
__asm__(".text\n.balign 4096\n.skip 100\npatched: movabs $0x1122334455667788, %rax\nret\n.balign 4096");
extern struct victim *patched(void);

static void put(void)
{
    uintptr_t start = (uintptr_t)patched;
    void *page = (void *)(start & -(uintptr_t)PAGE);
    struct victim *victim = victim_new();
    NEED(mprotect(page, PAGE, PROT_READ | PROT_WRITE) == 0);
    memcpy((void *)(start + 2), &victim, sizeof victim);
    NEED(mprotect(page, PAGE, PROT_READ | PROT_EXEC) == 0);
}

int main(void)
{
    run(put);
    churn();
    return judge(patched());
}
