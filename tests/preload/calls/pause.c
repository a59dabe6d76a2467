/* pause waits for a signal of the program's, and for no other. */
#include "calls.h"

static pthread_t caller;
static atomic_int handled;

static void on_signal(int number)
{
    (void)number;
    handled++;
}

void prepare(void)
{
    caller = pthread_self();
    NEED(sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = on_signal }, NULL) == 0);
}

/* Until the call is over: one that comes before it begins does not end it. */
void partner(void)
{
    int round = begun_by_caller;
    linger();
    while (!is_over && begun_by_caller == round) {
        NEED(pthread_kill(caller, SIGUSR1) == 0);
        sched_yield();
    }
}

void call(void)
{
    int before = handled;
    ended(pause());
    if (handled == before)
        printf("came back without a signal\n");
}
