/* siginterrupt for the signal that the library would use: a read that waits by a system call of the program's own goes on. */
#include "raw_read.h"

void prepare(void)
{
    NEED(siginterrupt(SIGURG, 1) == 0);
    connected(pair, SOCK_STREAM, 0);
}
