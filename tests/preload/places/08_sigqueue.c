/* Row 8: the only pointers are the values of signals that wait to be delivered: to a handler, to a wait, and to a descriptor.
 * blind: sent
 */
#include "preload.h"

#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>

enum { WAYS = 3, EACH = 3 };
static sigset_t signals[WAYS];
static int handled, whole, source;

static void queue(void)
{
    for (int i = 0; i < WAYS * EACH; i++) {
        union sigval value = {.sival_ptr = victim_new()};
        if (i % 2 == 0)
            NEED(sigqueue(getpid(), SIGRTMIN + i % WAYS, value) == 0);
        else
            NEED((errno = pthread_sigqueue(pthread_self(), SIGRTMIN + i % WAYS, value)) == 0);
    }
}

static void count(void *victim)
{
    whole += victim_is_whole(victim);
}

static void handle(int number, siginfo_t *information, void *context)
{
    handled += number == SIGRTMIN && context != NULL;
    churn();
    count(information->si_value.sival_ptr);
}

static void take(void)
{
    struct signalfd_siginfo record;
    siginfo_t information;
    for (int i = 0; i < EACH; i++) {
        NEED(sigwaitinfo(&signals[1], &information) == SIGRTMIN + 1);
        count(information.si_value.sival_ptr);
        NEED(read(source, &record, sizeof record) == sizeof record);
        count((void *)record.ssi_ptr);
    }
    NEED(sigprocmask(SIG_UNBLOCK, &signals[0], NULL) == 0 && handled == EACH);
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};
    NEED(sigaction(SIGRTMIN, &action, NULL) == 0);
    for (int i = 0; i < WAYS; i++) {
        sigemptyset(&signals[i]);
        sigaddset(&signals[i], SIGRTMIN + i);
        NEED(sigprocmask(SIG_BLOCK, &signals[i], NULL) == 0);
    }
    NEED((source = signalfd(-1, &signals[2], 0)) >= 0);
    for (int round = 0; round < 3; round++) {
        run(queue);
        churn();
        take();
        NEED(handled == EACH);
        handled = 0;
    }
    return verdict(whole == 3 * WAYS * EACH);
}
