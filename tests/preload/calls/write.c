/* write puts a megabyte into a pipe, all of it. */
#include "sender.h"

void prepare(void)
{
    send_into_pipe();
}

void call(void)
{
    ended(write(to, big, BIG));
}
