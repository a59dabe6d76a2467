/* Row 8: the only pointer is the value of a signal that a message queue is asked to send.
 * blind: held
 * needs: grep -q mqueue /proc/filesystems
 */
#include "preload.h"

#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>

static mqd_t queue;
static sigset_t signals;

static void put(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    event.sigev_value.sival_ptr = victim_new();
    NEED(mq_notify(queue, &event) == 0);
}

static struct victim *take(void)
{
    siginfo_t information;
    NEED(mq_send(queue, "", 1, 0) == 0);
    NEED(sigwaitinfo(&signals, &information) == SIGRTMIN);
    return information.si_value.sival_ptr;
}

int main(void)
{
    struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 8};
    char name[40];
    snprintf(name, sizeof name, "/preload-notify-%d", getpid());
    NEED((queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes)) != (mqd_t)-1 && mq_unlink(name) == 0);
    sigemptyset(&signals);
    sigaddset(&signals, SIGRTMIN);
    NEED(sigprocmask(SIG_BLOCK, &signals, NULL) == 0);
    run(put);
    churn();
    return judge(take());
}
