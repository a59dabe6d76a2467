/* Sleeping and waiting while other threads collect: no call is cut short by that, none ends before its time, and a
 * signal of the program's own still ends one. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

enum { TIME_MS = 40, TIME_NS = TIME_MS * 1000000, ROUNDS = 4, SECOND_NS = 1000000000 };

static const struct timespec limit = { 0, TIME_NS };
static atomic_int running;
static atomic_int failed;
static int epoll_set, queue;
static sem_t never;

static long long now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * (long long)SECOND_NS + now.tv_nsec;
}

static struct timespec end_of_time(clockid_t clock)
{
    long long end = now_ns(clock) + TIME_NS;
    return (struct timespec){ end / SECOND_NS, end % SECOND_NS };
}

static int with_nanosleep(void) { return nanosleep(&limit, NULL); }
static int with_usleep(void) { return usleep(TIME_MS * 1000); }
static int with_poll(void) { return poll(NULL, 0, TIME_MS); }
static int with_ppoll(void) { return ppoll(NULL, 0, &limit, NULL); }
static int with_thrd_sleep(void) { return thrd_sleep(&limit, NULL); }
static int with_pselect(void) { return pselect(0, NULL, NULL, NULL, &limit, NULL); }

static int with_clock_nanosleep(void)
{
    errno = clock_nanosleep(CLOCK_MONOTONIC, 0, &limit, NULL);
    return errno == 0 ? 0 : -1;
}

static int with_clock_nanosleep_until(void)
{
    struct timespec end = end_of_time(CLOCK_MONOTONIC);
    errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL);
    return errno == 0 ? 0 : -1;
}

/* What poll and ppoll become where _FORTIFY_SOURCE is defined. */
int __poll_chk(struct pollfd *fds, nfds_t count, int limit, size_t bytes);
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *limit, const sigset_t *mask, size_t bytes);

static int with_checked_poll(void)
{
    struct pollfd nobody = { -1, 0, 0 };
    return __poll_chk(&nobody, 1, TIME_MS, sizeof nobody);
}

static int with_checked_ppoll(void)
{
    struct pollfd nobody = { -1, 0, 0 };
    return __ppoll_chk(&nobody, 1, &limit, NULL, sizeof nobody);
}

static int with_select(void)
{
    struct timeval time = { 0, TIME_MS * 1000 };
    return select(0, NULL, NULL, NULL, &time);
}

static int with_epoll_wait(void)
{
    struct epoll_event event;
    return epoll_wait(epoll_set, &event, 1, TIME_MS);
}

static int with_epoll_pwait(void)
{
    struct epoll_event event;
    return epoll_pwait(epoll_set, &event, 1, TIME_MS, NULL);
}

/* glibc has it from 2.35 on, Linux from 5.11 on. */
int epoll_pwait2(int set, struct epoll_event *events, int room, const struct timespec *limit, const sigset_t *mask)
    __attribute__((weak));

static int with_epoll_pwait2(void)
{
    struct epoll_event event;
    int result = epoll_pwait2 == NULL ? -1 : epoll_pwait2(epoll_set, &event, 1, &limit, NULL);
    return result == -1 && (epoll_pwait2 == NULL || errno == ENOSYS) ? with_epoll_pwait() : result;
}

/* Times out with an error of its own. */
static int with_sem_timedwait(void)
{
    struct timespec end = end_of_time(CLOCK_REALTIME);
    return sem_timedwait(&never, &end) == -1 && errno == ETIMEDOUT ? 0 : -1;
}

static int with_sigtimedwait(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    return sigtimedwait(&set, NULL, &limit) == -1 && errno == EAGAIN ? 0 : -1;
}

static int pausing(void) { return pause(); }
static int polling(void) { return poll(NULL, 0, -1); }

static int suspended(void)
{
    sigset_t set;
    sigemptyset(&set);
    return sigsuspend(&set);
}

static int receiving(void)
{
    struct { long kind; char text[8]; } message;
    return (int)msgrcv(queue, &message, sizeof message.text, 0, 0);
}

struct wait {
    const char *name;
    int (*call)(void);
    pthread_t thread;
    atomic_int is_over;
};

static struct wait limited[] = {
    { "nanosleep", with_nanosleep, 0, 0 },       { "usleep", with_usleep, 0, 0 },
    { "poll", with_poll, 0, 0 },                 { "ppoll", with_ppoll, 0, 0 },
    { "select", with_select, 0, 0 },             { "pselect", with_pselect, 0, 0 },
    { "epoll_wait", with_epoll_wait, 0, 0 },     { "epoll_pwait", with_epoll_pwait, 0, 0 },
    { "sem_timedwait", with_sem_timedwait, 0, 0 }, { "sigtimedwait", with_sigtimedwait, 0, 0 },
    { "clock_nanosleep", with_clock_nanosleep, 0, 0 },
    { "thrd_sleep", with_thrd_sleep, 0, 0 },     { "checked poll", with_checked_poll, 0, 0 },
    { "checked ppoll", with_checked_ppoll, 0, 0 }, { "epoll_pwait2", with_epoll_pwait2, 0, 0 },
    { "clock_nanosleep until", with_clock_nanosleep_until, 0, 0 },
};
static struct wait endless[] = {
    { "pause", pausing, 0, 0 }, { "poll", polling, 0, 0 }, { "sigsuspend", suspended, 0, 0 }, { "msgrcv", receiving, 0, 0 },
};
enum { LIMITED = sizeof limited / sizeof *limited, ENDLESS = sizeof endless / sizeof *endless };

static void *wait_with_limit(void *argument)
{
    struct wait *wait = argument;
    for (int i = 0; i < ROUNDS; i++) {
        long long start = now_ns(CLOCK_MONOTONIC);
        int result = wait->call();
        long long waited = now_ns(CLOCK_MONOTONIC) - start;
        if (result != 0 || waited < TIME_NS) {
            printf("%s: result %d, errno %d, after %lld us\n", wait->name, result, errno, waited / 1000);
            failed = 1;
        }
    }
    running--;
    return NULL;
}

static void *wait_without_limit(void *argument)
{
    struct wait *wait = argument;
    if (wait->call() != -1 || errno != EINTR) {
        printf("%s: not cut short by a signal\n", wait->name);
        failed = 1;
    }
    wait->is_over = 1;
    return NULL;
}

static void on_signal(int number) { (void)number; }

static void allocate(int count)
{
    for (int i = 0; i < count; i++) {
        void *volatile p = malloc(64);
        (void)p;
    }
}

int main(void)
{
    struct sigaction action = { .sa_handler = on_signal };
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    sigaction(SIGUSR1, &action, NULL);
    epoll_set = epoll_create1(0);
    queue = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    sem_init(&never, 0, 0);

    running = LIMITED;
    for (int i = 0; i < LIMITED; i++)
        pthread_create(&limited[i].thread, NULL, wait_with_limit, &limited[i]);
    while (running > 0)
        allocate(1000);
    for (int i = 0; i < LIMITED; i++)
        pthread_join(limited[i].thread, NULL);

    for (int i = 0; i < ENDLESS; i++)
        pthread_create(&endless[i].thread, NULL, wait_without_limit, &endless[i]);
    long long end = now_ns(CLOCK_MONOTONIC) + 5 * TIME_NS;
    while (now_ns(CLOCK_MONOTONIC) < end)
        allocate(1000);
    for (int i = 0; i < ENDLESS; i++) {
        if (endless[i].is_over) {
            printf("%s: ended by itself\n", endless[i].name);
            failed = 1;
        }
        /* A signal that comes before the call begins does not end it. */
        while (!endless[i].is_over) {
            pthread_kill(endless[i].thread, SIGUSR1);
            sched_yield();
        }
        pthread_join(endless[i].thread, NULL);
    }
    msgctl(queue, IPC_RMID, NULL);
    if (!failed)
        puts("waited");
    return failed;
}
