/* Row 10: the only pointers are in sockets: of a pair, by each call that sends, and a datagram to oneself. What is only
 * looked at stays there.
 * blind: sent
 */
#include "preload.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { CALLS = 5 };
static int ends[2], itself;

static void put(void)
{
    for (int call = 0; call < CALLS; call++) {
        struct victim *victim = victim_new();
        struct iovec part = {&victim, sizeof victim};
        struct mmsghdr messages = {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}};
        switch (call) {
        case 0:
            NEED(send(ends[1], &victim, sizeof victim, 0) == 8);
            break;
        case 1:
            NEED(sendto(ends[1], &victim, sizeof victim, 0, NULL, 0) == 8);
            break;
        case 2:
            NEED(sendmsg(ends[1], &messages.msg_hdr, 0) == 8);
            break;
        case 3:
            NEED(sendmmsg(ends[1], &messages, 1, 0) == 1);
            break;
        case 4:
            NEED(write(itself, &victim, sizeof victim) == 8);
            break;
        }
    }
}

static struct victim *take(int call, int flags)
{
    struct victim *victim = NULL;
    struct iovec part = {&victim, sizeof victim};
    struct mmsghdr messages = {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}};
    switch (call) {
    case 0:
        NEED(recv(ends[0], &victim, sizeof victim, flags) == 8);
        break;
    case 1:
        NEED(recvfrom(ends[0], &victim, sizeof victim, flags, NULL, NULL) == 8);
        break;
    case 2:
        NEED(recvmsg(ends[0], &messages.msg_hdr, flags) == 8);
        break;
    case 3:
        NEED(recvmmsg(ends[0], &messages, 1, flags, NULL) == 1);
        break;
    case 4:
        NEED(recv(itself, &victim, sizeof victim, flags) == 8);
        break;
    }
    return victim;
}

static void look(void)
{
    NEED(take(0, MSG_PEEK) != NULL && take(1, MSG_PEEK) != NULL && take(2, MSG_PEEK) != NULL && take(3, MSG_PEEK) != NULL
         && take(4, MSG_PEEK) != NULL);
}

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;
    int whole = 0;
    NEED(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0 && (itself = socket(AF_INET, SOCK_DGRAM, 0)) >= 0);
    NEED(bind(itself, (struct sockaddr *)&address, sizeof address) == 0);
    NEED(getsockname(itself, (struct sockaddr *)&address, &bytes) == 0);
    NEED(connect(itself, (struct sockaddr *)&address, sizeof address) == 0);
    run(put);
    run(look);
    churn();
    for (int call = 0; call < CALLS; call++)
        whole += victim_is_whole(take(call, 0));
    return verdict(whole == CALLS);
}
