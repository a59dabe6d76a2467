/* msgsnd waits for room in a queue that another thread reads. */
#include "calls.h"

#include <sys/ipc.h>
#include <sys/msg.h>

enum { TEXT_BYTES = 8000 };

static struct message {
    long kind;
    char text[TEXT_BYTES];
} sent = { 1, "" }, received;
static int queue;

void prepare(void)
{
    NEED((queue = msgget(IPC_PRIVATE, 0600)) >= 0);
    while (msgsnd(queue, &sent, TEXT_BYTES, IPC_NOWAIT) == 0) {
    }
}

void partner(void)
{
    linger();
    NEED(msgrcv(queue, &received, TEXT_BYTES, 0, 0) == TEXT_BYTES);
}

void call(void)
{
    ended(msgsnd(queue, &sent, TEXT_BYTES, 0));
    if (begun_by_caller == ROUNDS)
        NEED(msgctl(queue, IPC_RMID, NULL) == 0);
}
