/* leaky_gateway: a small payment gateway, HTTP/1.1 on the loopback interface.
 *
 *     cc -O2 -pthread -o leaky_gateway buffer.c books.c http.c main.c
 *     ./leaky_gateway [-p PORT] [-w WORKERS] [-s SESSIONS] [-c CARDS]
 *
 *     POST /pay      payments, one a line: session=S&card=C&amount=CENTS&id=TRANSACTION
 *     GET  /health   {"status":"ok"}
 *     GET  /stats    what the gateway keeps, in things and in bytes
 *
 * The main thread accepts connections and hands them to the workers in turn. A worker serves its connections from one
 * epoll set. All of them share the books. SIGTERM or SIGINT ends the gateway; it then frees what it keeps.
 */
#define _GNU_SOURCE
#include "gateway.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    WORKERS_MAX = 64,
    EVENTS = 32,              /* taken from epoll at once */
    READ_STEP = 16 << 10,     /* bytes asked of a socket at once */
};

/* ---- connections and workers ------------------------------------------------------------------------------------- */

struct connection {
    struct connection *next, **place;   /* in the worker's list */
    int socket;
    struct buffer in;                   /* read, not answered yet */
    struct buffer out;                  /* answered, not sent yet */
    bool closing;                       /* once `out` is sent */
};

struct worker {
    pthread_t thread;
    int epoll;
    int stop;                           /* an eventfd */
    pthread_mutex_t lock;               /* of the list */
    struct connection *connections;
};

static void connection_open(struct worker *worker, int socket) {
    struct connection *connection = need(calloc(1, sizeof *connection));
    connection->socket = socket;
    pthread_mutex_lock(&worker->lock);
    connection->next = worker->connections;
    connection->place = &worker->connections;
    if (connection->next != NULL)
        connection->next->place = &connection->next;
    worker->connections = connection;
    pthread_mutex_unlock(&worker->lock);

    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(worker->epoll, EPOLL_CTL_ADD, socket, &event) != 0)
        die("epoll_ctl");
}

static void connection_close(struct worker *worker, struct connection *connection) {
    pthread_mutex_lock(&worker->lock);
    *connection->place = connection->next;
    if (connection->next != NULL)
        connection->next->place = connection->place;
    pthread_mutex_unlock(&worker->lock);
    close(connection->socket);
    buffer_release(&connection->in);
    buffer_release(&connection->out);
    free(connection);
}

/* Answers the requests that are whole, in the order of their arrival. */
static void connection_answer(struct connection *connection) {
    struct buffer *in = &connection->in;
    size_t answered = 0;
    while (!connection->closing && answered < in->length) {
        struct request request;
        int status = request_read(&request, in->data + answered, in->length - answered);
        if (status == 0)
            break;
        respond(status, &request, &connection->out);
        connection->closing = status != 200 || !request.keep_alive;
        answered += status == 200 ? request.length : in->length - answered;
    }
    memmove(in->data, in->data + answered, in->length - answered);
    in->length -= answered;
}

/* Sends what the socket takes; false when the peer is gone. */
static bool connection_send(struct connection *connection) {
    struct buffer *out = &connection->out;
    ssize_t sent = send(connection->socket, out->data, out->length, MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN || errno == EINTR;
    memmove(out->data, out->data + sent, out->length - (size_t)sent);
    out->length -= (size_t)sent;
    return true;
}

/* Does what a ready socket allows. While answers wait to be sent, nothing more is read. False ends the connection. */
static bool connection_serve(struct worker *worker, struct connection *connection) {
    bool sending = connection->out.length > 0;
    if (!sending) {
        char *space = buffer_reserve(&connection->in, READ_STEP);
        ssize_t received = recv(connection->socket, space, READ_STEP, 0);
        if (received <= 0)
            return received < 0 && (errno == EAGAIN || errno == EINTR);
        connection->in.length += (size_t)received;
        connection_answer(connection);
    }
    if (connection->out.length > 0 && !connection_send(connection))
        return false;
    bool waiting = connection->out.length > 0;
    if (!waiting) {
        buffer_release(&connection->out);
        if (connection->closing)
            return false;
    }
    if (waiting != sending) {
        struct epoll_event event = {.events = waiting ? EPOLLOUT : EPOLLIN, .data.ptr = connection};
        epoll_ctl(worker->epoll, EPOLL_CTL_MOD, connection->socket, &event);
    }
    return true;
}

static void *worker_run(void *argument) {
    struct worker *worker = argument;
    struct epoll_event events[EVENTS];
    for (;;) {
        int count = epoll_wait(worker->epoll, events, EVENTS, -1);
        if (count < 0 && errno != EINTR)
            die("epoll_wait");
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if (connection == NULL)
                return NULL;
            if (!connection_serve(worker, connection))
                connection_close(worker, connection);
        }
    }
}

static void worker_start(struct worker *worker) {
    worker->epoll = epoll_create1(EPOLL_CLOEXEC);
    worker->stop = eventfd(0, EFD_CLOEXEC);
    pthread_mutex_init(&worker->lock, NULL);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (worker->epoll < 0 || worker->stop < 0 || epoll_ctl(worker->epoll, EPOLL_CTL_ADD, worker->stop, &event) != 0)
        die("epoll");
    if ((errno = pthread_create(&worker->thread, NULL, worker_run, worker)) != 0)
        die("pthread_create");
}

static void worker_stop(struct worker *worker) {
    if (eventfd_write(worker->stop, 1) != 0)
        die("eventfd");
    pthread_join(worker->thread, NULL);
    while (worker->connections != NULL)
        connection_close(worker, worker->connections);
    close(worker->stop);
    close(worker->epoll);
}

/* ---- the main thread --------------------------------------------------------------------------------------------- */

static volatile sig_atomic_t stopping;

static void on_signal(int number) {
    (void)number;
    stopping = 1;
}

static int listen_on(unsigned short port, struct sockaddr_in *address) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
    socklen_t length = sizeof *address;
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(listener, (struct sockaddr *)address, length) != 0 || listen(listener, 128) != 0 ||
        getsockname(listener, (struct sockaddr *)address, &length) != 0)
        die("listen");
    return listener;
}

/* Hands connections to the workers in turn until a signal says stop; `unblocked` lets that signal in. */
static void accept_connections(int listener, struct worker *workers, unsigned count, const sigset_t *unblocked) {
    unsigned turn = 0;
    while (!stopping) {
        struct pollfd ready = {.fd = listener, .events = POLLIN};
        if (ppoll(&ready, 1, NULL, unblocked) < 0)
            continue;
        int yes = 1, socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (socket < 0)
            continue;
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        connection_open(&workers[turn++ % count], socket);
    }
}

static unsigned number(const char *text, unsigned long most) {
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || value > most) {
        fprintf(stderr, "leaky_gateway: %s: a number up to %lu is needed here\n", text, most);
        exit(2);
    }
    return (unsigned)value;
}

int main(int argc, char **argv) {
    unsigned port = 0, worker_count = 4, session_count = 100000, card_count = 500000;
    for (int option; (option = getopt(argc, argv, "p:w:s:c:")) != -1;) {
        switch (option) {
        case 'p': port = number(optarg, 65535); break;
        case 'w': worker_count = number(optarg, WORKERS_MAX); break;
        case 's': session_count = number(optarg, 99999999); break;
        case 'c': card_count = number(optarg, 99999999); break;
        default:
            fprintf(stderr, "usage: leaky_gateway [-p PORT] [-w WORKERS] [-s SESSIONS] [-c CARDS]\n");
            return 2;
        }
    }
    worker_count = worker_count == 0 ? 1 : worker_count;

    /* The workers inherit the blocked signals, so that only the main thread sees them, in ppoll. */
    sigset_t blocked, unblocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGINT);
    pthread_sigmask(SIG_BLOCK, &blocked, &unblocked);
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);

    books_open(session_count, card_count);

    struct sockaddr_in address;
    int listener = listen_on((unsigned short)port, &address);
    static struct worker workers[WORKERS_MAX];
    for (unsigned i = 0; i < worker_count; i++)
        worker_start(&workers[i]);
    printf("leaky_gateway: listening on 127.0.0.1:%u, pid %d\n", ntohs(address.sin_port), (int)getpid());
    fflush(stdout);

    accept_connections(listener, workers, worker_count, &unblocked);

    close(listener);
    for (unsigned i = 0; i < worker_count; i++)
        worker_stop(&workers[i]);
    books_release();
    return 0;
}
