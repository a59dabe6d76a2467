/* A read of one byte that waits by a system call of the program's own, which no library sees: for the programs whose signals
 * must let it go on.
 */
#include "calls.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static int pair[2];

void partner(void)
{
    linger();
    put(pair[1], "x", 1);
}

void call(void)
{
    char byte;
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(SYS_read), "D"(pair[0]), "S"(&byte), "d"(1) : "rcx", "r11", "memory");
    ended(result);
}
