/* Row 10: the only pointers are in messages that wait in a queue, of System V and of POSIX.
 * blind: sent
 * needs: grep -q mqueue /proc/filesystems
 */
#include "preload.h"

#include <fcntl.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>

struct message {
    long kind;
    struct victim *victim;
};

static mqd_t queue;
static int other;

static void put(void)
{
    struct victim *victim = victim_new();
    struct message message = {.kind = 1, .victim = victim_new()};
    NEED(mq_send(queue, (char *)&victim, sizeof victim, 0) == 0);
    NEED(msgsnd(other, &message, sizeof message.victim, 0) == 0);
    victim = NULL;
    /* These are not sent. */
    struct timespec past = {0};
    NEED(mq_timedsend(queue, (char *)&victim, sizeof victim, 0, &past) == -1 && errno == ETIMEDOUT);
    NEED(msgsnd(other, (void *)8, sizeof message.victim, 0) == -1 && errno == EFAULT);
}

int main(void)
{
    struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = sizeof(void *)};
    struct message message;
    struct victim *victim;
    char name[40];
    snprintf(name, sizeof name, "/preload-queue-%d", getpid());
    NEED((queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes)) != (mqd_t)-1 && mq_unlink(name) == 0);
    NEED((other = msgget(IPC_PRIVATE, 0600)) >= 0);
    run(put);
    churn();
    NEED(mq_receive(queue, (char *)&victim, sizeof victim, NULL) == sizeof victim);
    NEED(msgrcv(other, &message, sizeof message.victim, 0, 0) == sizeof message.victim);
    NEED(msgctl(other, IPC_RMID, NULL) == 0);
    return verdict(victim_is_whole(victim) && victim_is_whole(message.victim));
}
