/* Row 8: the only pointer is the value of a timer. It goes off only after the collections.
 * blind: held
 */
#include "preload.h"

#include <signal.h>
#include <time.h>

static timer_t timer, ended;
static sigset_t signals;

static void put(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    event.sigev_value.sival_ptr = malloc(VICTIM_BYTES);
    NEED(timer_create(CLOCK_MONOTONIC, &event, &ended) == 0);
    event.sigev_value.sival_ptr = victim_new();
    NEED(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    NEED(timer_delete(ended) == 0);
}

static struct victim *take(void)
{
    struct itimerspec soon = {.it_value.tv_nsec = 1};
    siginfo_t information;
    NEED(timer_settime(timer, 0, &soon, NULL) == 0);
    NEED(sigwaitinfo(&signals, &information) == SIGRTMIN);
    return information.si_value.sival_ptr;
}

int main(void)
{
    sigemptyset(&signals);
    sigaddset(&signals, SIGRTMIN);
    NEED(sigprocmask(SIG_BLOCK, &signals, NULL) == 0);
    run(put);
    churn();
    return judge(take());
}
