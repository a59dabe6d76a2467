/* sighold of the signal that the library would use: it is the program's, and waits when that sends it. */
#include "pending.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

void prepare(void)
{
    NEED(sighold(SIGURG) == 0);
}

void call(void)
{
    int number;
    sigset_t urgent;
    ended_by_looking(0);
    NEED(raise(SIGURG) == 0 && is_any_pending());
    sigemptyset(&urgent);
    sigaddset(&urgent, SIGURG);
    NEED(sigwait(&urgent, &number) == 0 && number == SIGURG);
}
