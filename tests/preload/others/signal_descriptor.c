/* Processes that wake each other by SIGURG, as database servers do: one blocks it and takes it from a descriptor, by
 * a timed wait, or finds it pending. The library uses that signal unless somebody else does, and collections with
 * threads to stop go on meanwhile.
 */
#include "preload.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

enum { ROUNDS = 200, LIMIT_MS = 20000 };

static sigset_t urgent;
static int begin[2], end[2];

/* Waits for SIGURG; 0 if it does not come. */
static int by_descriptor(int limit_ms)
{
    static int fd = -1;
    struct signalfd_siginfo information;
    if (fd < 0)
        NEED((fd = signalfd(-1, &urgent, SFD_CLOEXEC)) >= 0);
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    return poll(&readable, 1, limit_ms) == 1 && read(fd, &information, sizeof information) == sizeof information &&
           information.ssi_signo == SIGURG;
}

static int by_wait(int limit_ms)
{
    struct timespec limit = {.tv_sec = limit_ms / 1000};
    return sigtimedwait(&urgent, NULL, &limit) == SIGURG;
}

static int by_looking(int limit_ms)
{
    sigset_t pending, now;
    int number;
    (void)limit_ms;
    NEED(sigpending(&pending) == 0 && pthread_sigmask(SIG_BLOCK, NULL, &now) == 0);
    /* It was sent before the other side's byte came. */
    return sigismember(&pending, SIGURG) && sigismember(&now, SIGURG) && sigwait(&urgent, &number) == 0;
}

static const struct {
    const char *name;
    int (*is_woken)(int limit_ms), blocks_all, says_sent;
} ways[] = {
    {"descriptor", by_descriptor, 0, 0}, {"wait", by_wait, 0, 0}, {"mask", by_looking, 0, 1},
    {"descriptor, all blocked", by_descriptor, 1, 0}, {"wait, all blocked", by_wait, 1, 0},
};

/* The other process: sends the signal whenever it is asked to. */
static void wake(pid_t waiter)
{
    char byte;
    while (read(begin[0], &byte, 1) == 1) {
        NEED(kill(waiter, SIGURG) == 0);
        NEED(write(end[1], &byte, 1) == 1);
    }
    _exit(0);
}

static void *idle(void *ends)
{
    char byte;
    NEED(read(((int *)ends)[0], &byte, 1) == 0);
    return NULL;
}

static int rounds(size_t way)
{
    int come = 0, quiet[2];
    char byte = 0;
    pthread_t thread;
    sigset_t all, before;
    pid_t waiter = getpid();
    sigfillset(&all);
    /* A set of all claims nothing: what is waited for then does. */
    NEED(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    if (!ways[way].blocks_all) {
        NEED(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0 && pthread_sigmask(SIG_BLOCK, &urgent, NULL) == 0);
        NEED(pipe(quiet) == 0 && (errno = pthread_create(&thread, NULL, idle, quiet)) == 0);
    } else {
        NEED(!ways[way].is_woken(0));
    }
    NEED(pipe(begin) == 0 && pipe(end) == 0);
    pid_t process = fork();
    NEED(process >= 0);
    if (process == 0) {
        close(begin[1]);
        wake(waiter);
    }
    for (int i = 0; i < ROUNDS; i++) {
        NEED(write(begin[1], &byte, 1) == 1);
        if (ways[way].says_sent)
            NEED(read(end[0], &byte, 1) == 1);
        if (i % 20 == 0)
            malloc_trim(0);
        if (!ways[way].is_woken(LIMIT_MS))
            break;
        come++;
    }
    close(begin[1]);
    NEED(waitpid(process, NULL, 0) == process);
    if (!ways[way].blocks_all) {
        close(quiet[1]);
        pthread_join(thread, NULL);
    }
    return come;
}

int main(void)
{
    sigemptyset(&urgent);
    sigaddset(&urgent, SIGURG);
    for (size_t way = 0; way < sizeof ways / sizeof ways[0]; way++) {
        pid_t process = fork();
        NEED(process >= 0);
        if (process == 0) {
            printf("%s: woken %d times\n", ways[way].name, rounds(way));
            fflush(stdout);
            _exit(0);
        }
        int status;
        NEED(waitpid(process, &status, 0) == process && status == 0);
    }
    return 0;
}
