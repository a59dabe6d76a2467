/* msgrcv waits until another thread sends. */
#include "calls.h"

#include <sys/ipc.h>
#include <sys/msg.h>

static int queue;

void prepare(void)
{
    NEED((queue = msgget(IPC_PRIVATE, 0600)) >= 0);
}

void partner(void)
{
    linger();
    NEED(msgsnd(queue, &(struct { long kind; char text[8]; }){ 1, "here" }, 5, 0) == 0);
}

void call(void)
{
    struct { long kind; char text[8]; } message;
    ended(msgrcv(queue, &message, sizeof message.text, 0, 0));
    if (begun_by_caller == ROUNDS)
        NEED(msgctl(queue, IPC_RMID, NULL) == 0);
}
