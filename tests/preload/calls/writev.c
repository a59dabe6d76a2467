/* writev puts a megabyte into a pipe, all of it. */
#include "sender.h"

void prepare(void)
{
    send_into_pipe();
}

void call(void)
{
    struct iovec parts[2] = { half_of_big(0), half_of_big(1) };
    ended(writev(to, parts, 2));
}
