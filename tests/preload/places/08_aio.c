/* Row 8: the only pointer is the value of a signal that says that something was written.
 * The thread of the C library's that did it has ended; its stack may be kept for another.
 * blind: sent,anonymous
 */
#include "preload.h"

#include <aio.h>
#include <signal.h>
#include <sched.h>
#include <sys/stat.h>

static struct aiocb request;
static sigset_t signals;
static int ends[2];

static void put(void)
{
    request.aio_fildes = ends[1];
    request.aio_buf = "x";
    request.aio_nbytes = 1;
    request.aio_sigevent.sigev_notify = SIGEV_SIGNAL;
    request.aio_sigevent.sigev_signo = SIGRTMIN;
    request.aio_sigevent.sigev_value.sival_ptr = victim_new();
    NEED(aio_write(&request) == 0);
    while (aio_error(&request) == EINPROGRESS)
        ;
    NEED(aio_return(&request) == 1);
    /* The signal may be on its way yet. */
    sigset_t pending;
    do
        NEED(sigpending(&pending) == 0);
    while (!sigismember(&pending, SIGRTMIN));
    struct stat tasks;
    do {
        sched_yield();
        NEED(stat("/proc/self/task", &tasks) == 0);
    } while (tasks.st_nlink != 3);
    memset(&request, 0, sizeof request);
}

static struct victim *take(void)
{
    siginfo_t information;
    NEED(sigwaitinfo(&signals, &information) == SIGRTMIN);
    return information.si_value.sival_ptr;
}

int main(void)
{
    struct aioinit settings = {.aio_threads = 1, .aio_num = 32, .aio_idle_time = 0};
    aio_init(&settings);
    NEED(pipe(ends) == 0);
    sigemptyset(&signals);
    sigaddset(&signals, SIGRTMIN);
    NEED(sigprocmask(SIG_BLOCK, &signals, NULL) == 0);
    run(put);
    churn();
    return judge(take());
}
