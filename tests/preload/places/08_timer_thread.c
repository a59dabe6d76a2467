/* Row 8: the only pointer is the value of a timer that the C library makes a thread for.
 * blind: held,anonymous,brk,files
 */
#include "preload.h"

#include <semaphore.h>
#include <signal.h>
#include <time.h>

static timer_t timer;
static sem_t is_over;

static void go_off(union sigval value)
{
    judge(value.sival_ptr);
    sem_post(&is_over);
}

static void put(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = go_off};
    event.sigev_value.sival_ptr = victim_new();
    NEED(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
}

int main(void)
{
    struct itimerspec soon = {.it_value.tv_nsec = 1};
    NEED(sem_init(&is_over, 0, 0) == 0);
    run(put);
    churn();
    NEED(timer_settime(timer, 0, &soon, NULL) == 0);
    NEED(sem_wait(&is_over) == 0);
    return 0;
}
