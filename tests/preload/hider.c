/* A server that keeps the only pointers to its sessions where no search finds them: in a table, each combined with a secret.
 * servers.sh runs it to see that what it judges servers by can be seen at all.
 *
 *     hider PORT      answers each request on 127.0.0.1 with the number of requests that its session has seen
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SESSIONS = 1000, CLIENTS_MAX = 64, REQUESTS_MAX = 50 };
static const uintptr_t secret = 0x5bd1e9955bd1e995;

struct session {
    unsigned requests;
    char name[40];
};
static uintptr_t hidden[SESSIONS];

static void open_session(unsigned number)
{
    struct session *session = calloc(1, sizeof *session);
    if (session == NULL)
        abort();
    snprintf(session->name, sizeof session->name, "session %u", number);
    hidden[number] = (uintptr_t)session ^ secret;
}

/* Counts one more request; a session that has seen enough of them makes room for a new one. */
static int answer(char *text, size_t size, unsigned number)
{
    struct session *session = (struct session *)(hidden[number] ^ secret);
    char body[80];
    int length = snprintf(body, sizeof body, "%s: %u\n", session->name, ++session->requests);
    if (session->requests == REQUESTS_MAX) {
        free(session);
        open_session(number);
    }
    return snprintf(text, size, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", length, body);
}

static int listen_at(int port)
{
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&here, sizeof here) != 0 || listen(fd, CLIENTS_MAX) != 0) {
        perror("hider: cannot listen");
        exit(1);
    }
    return fd;
}

int main(int argc, char **argv)
{
    struct pollfd client[CLIENTS_MAX] = { { .fd = listen_at(argc > 1 ? atoi(argv[1]) : 0), .events = POLLIN } };
    unsigned count = 1, request = 0;
    for (unsigned i = 0; i < SESSIONS; i++)
        open_session(i);
    for (;;) {
        poll(client, count, -1);
        for (unsigned i = count - 1; i > 0; i--) {
            char text[4096];
            if (client[i].revents == 0)
                continue;
            ssize_t got = read(client[i].fd, text, sizeof text);
            int length = got > 0 ? answer(text, sizeof text, request++ % SESSIONS) : 0;
            if (length == 0 || write(client[i].fd, text, length) != length) {
                close(client[i].fd);
                client[i] = client[--count];
            }
        }
        if (client[0].revents != 0 && count < CLIENTS_MAX) {
            int fd = accept(client[0].fd, NULL, NULL);
            if (fd >= 0)
                client[count++] = (struct pollfd){ .fd = fd, .events = POLLIN };
        }
    }
}
