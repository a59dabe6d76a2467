/* Row 13: the only pointer is in the middle of an instruction, in a memory file that the program maps twice: to write its
 * code, which ends when that is done, and to run it. The instruction lies across two pages.
 * blind: code
 */
#include "preload.h"

#include <sys/mman.h>

enum { PAGE = 4096, BYTES = 2 * PAGE, ODD = PAGE - 7 };

static unsigned char *to_write;

/* mov rax, victim; ret */
static void put(void)
{
    struct victim *victim = victim_new();
    memcpy(to_write + ODD, "\x48\xb8", 2);
    memcpy(to_write + ODD + 2, &victim, sizeof victim);
    to_write[ODD + 2 + sizeof victim] = 0xc3;
}

int main(void)
{
    int file = memfd_create("code", MFD_CLOEXEC);
    NEED(file >= 0 && ftruncate(file, BYTES) == 0);
    to_write = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    unsigned char *to_run = mmap(NULL, BYTES, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
    NEED(to_write != MAP_FAILED && to_run != MAP_FAILED);
    run(put);
    NEED(munmap(to_write, BYTES) == 0);
    churn();
    return judge(((struct victim * (*)(void))(uintptr_t)(to_run + ODD))());
}
