/* One signal that a call's mask lets in, and that is blocked otherwise: it stays pending until the call. */
#ifndef LET_IN_H
#define LET_IN_H

#include "calls.h"

static pthread_t caller;
static atomic_int handled;
static sigset_t all_but_it;

static void on_signal(int number)
{
    (void)number;
    handled++;
}

static void prepare_signal(void)
{
    sigset_t it;
    caller = pthread_self();
    NEED(sigemptyset(&it) == 0 && sigaddset(&it, SIGUSR1) == 0 && pthread_sigmask(SIG_BLOCK, &it, NULL) == 0);
    NEED(sigfillset(&all_but_it) == 0 && sigdelset(&all_but_it, SIGUSR1) == 0 && sigdelset(&all_but_it, SIGALRM) == 0);
    NEED(sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = on_signal }, NULL) == 0);
}

/* One is enough. */
void partner(void)
{
    linger();
    NEED(pthread_kill(caller, SIGUSR1) == 0);
}

/* Since `before` were handled, a call has let in one more. */
static void expect_one_more_than(int before)
{
    if (handled != before + 1)
        printf("%d signals were handled in one call\n", handled - before);
}

#endif
