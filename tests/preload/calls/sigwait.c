/* sigwait waits until another thread sends the signal. */
#include "calls.h"

static pthread_t caller;
static sigset_t set;

void prepare(void)
{
    caller = pthread_self();
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    NEED(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
}

void partner(void)
{
    linger();
    NEED(pthread_kill(caller, SIGRTMIN) == 0);
}

void call(void)
{
    int number;
    ended(sigwait(&set, &number));
}
