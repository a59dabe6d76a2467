/* A thread that has blocked all signals before the program claims the one that the library used until then: the next one
 * is blocked already.
 */
#include "pending.h"

static void ignore(int number)
{
    (void)number;
}

void prepare(void)
{
    sigset_t all;
    sigfillset(&all);
    NEED(pthread_sigmask(SIG_BLOCK, &all, NULL) == 0 && signal(SIGURG, ignore) == SIG_DFL);
}

void call(void)
{
    ended_by_looking(1);
}
