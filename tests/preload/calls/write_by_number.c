/* write by syscall puts a megabyte into a pipe, all of it. */
#include "sender.h"

void prepare(void)
{
    send_into_pipe();
}

void call(void)
{
    ended(syscall(SYS_write, to, big, (size_t)BIG));
}
