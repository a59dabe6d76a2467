/* ppoll, pselect and epoll_pwait wait for the one signal that their mask lets in, and for no other. */
#include "calls.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

static pthread_t caller;
static atomic_int handled;
static sigset_t all_but_it;
static int set;

static void on_signal(int number)
{
    (void)number;
    handled++;
}

void prepare(void)
{
    sigset_t it;
    caller = pthread_self();
    NEED((set = epoll_create1(0)) >= 0);
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
    struct epoll_event event;
    int before = handled;
    switch (begun_by_caller % 3) {
    case 0:
        ended(ppoll(NULL, 0, NULL, &all_but_it));
        break;
    case 1:
        ended(pselect(0, NULL, NULL, NULL, NULL, &all_but_it));
        break;
    default:
        ended(epoll_pwait(set, &event, 1, -1, &all_but_it));
    }
    if (handled != before + 1)
        printf("%d signals were handled in one call\n", handled - before);
}
