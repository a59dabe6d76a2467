/* A thread that takes all signals by sigwait and its kin, as servers do: it gets those that the program sends, not the
 * stop signal; and another that claims SIGURG for itself, by signal, gets that. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { ROUNDS = 20000 };

static volatile sig_atomic_t urgent;

static void on_urgent(int number)
{
    (void)number;
    urgent++;
}

static void *work(void *argument)
{
    for (int i = 0; i < ROUNDS; i++) {
        void *volatile p = malloc(64);
        free(p);
    }
    return argument;
}

static int by_wait(const sigset_t *set)
{
    int number;
    return sigwait(set, &number) == 0 ? number : -1;
}

static int by_wait_for_information(const sigset_t *set)
{
    int number;
    do
        number = sigwaitinfo(set, NULL);
    while (number < 0 && errno == EINTR);
    return number;
}

static int by_timed_wait(const sigset_t *set)
{
    struct timespec long_time = { 100, 0 };
    int number;
    do
        number = sigtimedwait(set, NULL, &long_time);
    while (number < 0 && errno == EINTR);
    return number;
}

static int by_descriptor(const sigset_t *set)
{
    struct signalfd_siginfo information;
    int fd = signalfd(-1, set, 0);
    ssize_t length;
    do
        length = read(fd, &information, sizeof information);
    while (length < 0 && errno == EINTR);
    close(fd);
    return length == sizeof information ? (int)information.ssi_signo : -1;
}

static int (*const ways[])(const sigset_t *) = { by_wait, by_wait_for_information, by_timed_wait, by_descriptor };

static void *wait_for_all(void *way)
{
    sigset_t all;
    sigfillset(&all);
    return (void *)(long)(*(int (**)(const sigset_t *))way)(&all);
}

int main(void)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++) {
        pthread_t waiting, working;
        void *number;
        if (pthread_create(&waiting, NULL, wait_for_all, (void *)&ways[i]) != 0 ||
            pthread_create(&working, NULL, work, NULL) != 0)
            return 1;
        pthread_join(working, NULL);
        pthread_kill(waiting, SIGTERM);
        pthread_join(waiting, &number);
        if ((long)number != SIGTERM) {
            printf("way %u took signal %ld\n", i, (long)number);
            return 1;
        }
    }
    sigemptyset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    if (signal(SIGURG, on_urgent) == SIG_ERR)
        return 1;
    pthread_t working;
    if (pthread_create(&working, NULL, work, NULL) != 0)
        return 1;
    pthread_join(working, NULL);
    if (urgent != 0) {
        printf("SIGURG came %d times and nobody sent it\n", (int)urgent);
        return 1;
    }
    raise(SIGURG);
    puts(urgent == 1 ? "survived" : "SIGURG did not come");
    return 0;
}
