/* Threads that no ordinary signal reaches: one of the C library's own, which waits for a timer, and two that wait with
 * all signals blocked, as the kernel blocks them for that time. Collections go on beside them, and changing the user
 * of all threads, for which the C library keeps a signal, works. */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 20000, CHANGES = 200 };

static int ends[2];
static sem_t fired;

static void fire(union sigval value)
{
    (void)value;
    sem_post(&fired);
}

static void *poll_deaf(void *argument)
{
    sigset_t all;
    struct pollfd end = { ends[0], POLLIN, 0 };
    sigfillset(&all);
    while (ppoll(&end, 1, NULL, &all) < 1)
        ;
    return argument;
}

static void on_user_signal(int number) { (void)number; }

static void *suspend_deaf(void *argument)
{
    struct sigaction action = { .sa_handler = on_user_signal };
    sigset_t rest;
    sigaction(SIGUSR1, &action, NULL);
    sigfillset(&rest);
    sigdelset(&rest, SIGUSR1);
    sigsuspend(&rest);
    return argument;
}

static void *work(void *argument)
{
    for (int i = 0; i < ROUNDS; i++) {
        void *volatile p = malloc(64);
        free(p);
    }
    return argument;
}

int main(void)
{
    pthread_t polling, suspended, working;
    struct sigevent event;
    timer_t timer;
    struct itimerspec soon = { { 0, 0 }, { 0, 1 } };
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_THREAD;
    event.sigev_notify_function = fire;
    sigset_t user;
    sigemptyset(&user);
    sigaddset(&user, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &user, NULL);    /* suspend_deaf opens it: raised before, it waits */
    if (pipe(ends) != 0 || sem_init(&fired, 0, 0) != 0 || timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 ||
        pthread_create(&polling, NULL, poll_deaf, NULL) != 0 ||
        pthread_create(&suspended, NULL, suspend_deaf, NULL) != 0 || pthread_create(&working, NULL, work, NULL) != 0)
        return 1;
    for (int i = 0; i < CHANGES; i++)
        if (setgid(getgid()) != 0)
            return 1;
    pthread_join(working, NULL);
    if (timer_settime(timer, 0, &soon, NULL) != 0)
        return 1;
    while (sem_wait(&fired) != 0)
        ;
    if (write(ends[1], "x", 1) != 1 || pthread_kill(suspended, SIGUSR1) != 0)
        return 1;
    pthread_join(polling, NULL);
    pthread_join(suspended, NULL);
    puts("survived");
    return 0;
}
