/* Row 10: the only pointers are in pipes that no descriptor of the process belongs to: those are on their way through a
 * socket.
 * blind: sent
 */
#include "preload.h"

#include <sys/socket.h>

enum { PIPES = 100 };
static int ends[2];

union control {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr aligned;
};

static void put(void)
{
    for (int i = 0; i < PIPES; i++) {
        struct victim *victim = victim_new();
        int pair[2];
        union control control = {{0}};
        struct iovec part = {"p", 1};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        NEED(pipe(pair) == 0 && write(pair[1], &victim, sizeof victim) == sizeof victim);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &pair[0], sizeof(int));
        NEED(sendmsg(ends[1], &message, 0) == 1);
        NEED(close(pair[0]) == 0 && close(pair[1]) == 0);
    }
}

static struct victim *take(void)
{
    char byte;
    int pipe_end;
    struct victim *victim = NULL;
    union control control;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    NEED(recvmsg(ends[0], &message, 0) == 1 && CMSG_FIRSTHDR(&message) != NULL);
    memcpy(&pipe_end, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
    NEED(read(pipe_end, &victim, sizeof victim) == sizeof victim && close(pipe_end) == 0);
    return victim;
}

int main(void)
{
    int whole = 0;
    NEED(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
    run(put);
    churn();
    for (int i = 0; i < PIPES; i++)
        whole += victim_is_whole(take());
    return verdict(whole == PIPES);
}
