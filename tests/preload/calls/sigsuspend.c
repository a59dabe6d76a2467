/* sigsuspend waits for the one signal that it lets in, and for no other. */
#include "calls.h"

static pthread_t caller;
static atomic_int handled;
static sigset_t all_but_it;

static void on_signal(int number)
{
    (void)number;
    handled++;
}

void prepare(void)
{
    sigset_t it;
    caller = pthread_self();
    NEED(sigemptyset(&it) == 0 && sigaddset(&it, SIGUSR1) == 0 && pthread_sigmask(SIG_BLOCK, &it, NULL) == 0);
    NEED(sigfillset(&all_but_it) == 0 && sigdelset(&all_but_it, SIGUSR1) == 0 && sigdelset(&all_but_it, SIGALRM) == 0);
    NEED(sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = on_signal }, NULL) == 0);
}

/* It stays pending until the call lets it in, so one is enough. */
void partner(void)
{
    linger();
    NEED(pthread_kill(caller, SIGUSR1) == 0);
}

void call(void)
{
    int before = handled;
    ended(sigsuspend(&all_but_it));
    if (handled != before + 1)
        printf("%d signals were handled in one call\n", handled - before);
}
