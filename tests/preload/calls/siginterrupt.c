/* siginterrupt for the signal that the library would use: a read that waits by a system call of the program's own goes on. */
#include "calls.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static int pair[2];

void prepare(void)
{
    NEED(siginterrupt(SIGURG, 1) == 0);
    connected(pair, SOCK_STREAM, 0);
}

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
