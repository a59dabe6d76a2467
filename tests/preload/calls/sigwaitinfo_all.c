/* sigwaitinfo waits for any signal, and takes none but what the program has sent. */
#include "calls.h"

static pthread_t caller;
static sigset_t set;

void prepare(void)
{
    caller = pthread_self();
    sigfillset(&set);
    sigdelset(&set, SIGALRM);
    NEED(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
}

void partner(void)
{
    linger();
    NEED(pthread_kill(caller, SIGUSR1) == 0);
}

void call(void)
{
    ended(sigwaitinfo(&set, NULL));
}
