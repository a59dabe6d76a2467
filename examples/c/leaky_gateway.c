/* leaky_gateway: a small payment gateway, HTTP/1.1 on the loopback interface.
 *
 *     cc -O2 -pthread -o leaky_gateway leaky_gateway.c
 *     ./leaky_gateway [-p PORT] [-w WORKERS] [-s SESSIONS] [-c CARDS]
 *
 *     POST /pay      payments, one a line: session=S&card=C&amount=CENTS&id=TRANSACTION
 *     GET  /health   {"status":"ok"}
 *     GET  /stats    what the gateway keeps, in things and in bytes
 *
 * The main thread accepts connections and hands them to the workers in turn. A worker serves its connections from one
 * epoll set. All of them share two hash tables: the open sessions, and the ledger with the latest entry of each card,
 * which every payment replaces. SIGTERM or SIGINT ends the gateway; it then frees what it keeps.
 *
 * It has the bug that ends many a server after some hours: look for `payment_release`.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    SHARDS = 64,              /* locks of a table */
    WORKERS_MAX = 64,
    EVENTS = 32,              /* taken from epoll at once */
    HEADER_MAX = 8 << 10,     /* bytes of a request's header */
    BODY_MAX = 1 << 20,       /* bytes of a request's body */
    READ_STEP = 16 << 10,     /* bytes asked of a socket at once */
};

static void die(const char *what) {
    fprintf(stderr, "leaky_gateway: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void *need(void *memory) {
    if (memory == NULL)
        die("out of memory");
    return memory;
}

/* ---- buffers: bytes that grow ------------------------------------------------------------------------------------ */

struct buffer {
    char *data;
    size_t length, capacity;
};

static char *buffer_reserve(struct buffer *buffer, size_t more) {
    if (buffer->capacity - buffer->length < more) {
        size_t capacity = 2 * buffer->capacity + more;
        buffer->data = need(realloc(buffer->data, capacity));
        buffer->capacity = capacity;
    }
    return buffer->data + buffer->length;
}

static void buffer_append(struct buffer *buffer, const char *bytes, size_t length) {
    memcpy(buffer_reserve(buffer, length), bytes, length);
    buffer->length += length;
}

__attribute__((format(printf, 2, 3))) static void buffer_print(struct buffer *buffer, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    buffer_append(buffer, text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
}

static void buffer_release(struct buffer *buffer) {
    free(buffer->data);
    *buffer = (struct buffer){0};
}

/* ---- tables: chained hashing, cut into shards with a lock each --------------------------------------------------- */

struct node {
    struct node *next;
    char *key;
};

struct shard {
    pthread_mutex_t lock;
    struct node **chains;
    size_t nodes;
    size_t bytes;             /* kept in this shard's nodes, their strings and its chains */
};

struct table {
    struct shard shards[SHARDS];
    size_t chains;            /* of one shard, a power of two */
};

static void table_init(struct table *table, size_t nodes) {
    table->chains = 1;
    while (table->chains * SHARDS < nodes)
        table->chains *= 2;
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &table->shards[i];
        pthread_mutex_init(&shard->lock, NULL);
        shard->chains = need(calloc(table->chains, sizeof *shard->chains));
        shard->bytes = table->chains * sizeof *shard->chains;
    }
}

static unsigned long hash(const char *key) {
    unsigned long h = 14695981039346656037ul;
    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * 1099511628211ul;
    return h ^ h >> 29;
}

static struct shard *table_shard(struct table *table, unsigned long h) {
    return &table->shards[h % SHARDS];
}

/* The place that holds the node of this key, or where it would be appended. The caller holds the shard's lock. */
static struct node **table_place(struct table *table, unsigned long h, const char *key) {
    struct node **place = &table_shard(table, h)->chains[h / SHARDS % table->chains];
    while (*place != NULL && strcmp((*place)->key, key) != 0)
        place = &(*place)->next;
    return place;
}

static void table_sum(struct table *table, size_t *nodes, size_t *bytes) {
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &table->shards[i];
        pthread_mutex_lock(&shard->lock);
        *nodes += shard->nodes;
        *bytes += shard->bytes;
        pthread_mutex_unlock(&shard->lock);
    }
}

static void table_release(struct table *table, void (*release)(struct node *)) {
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &table->shards[i];
        for (size_t chain = 0; chain < table->chains; chain++) {
            for (struct node *node = shard->chains[chain], *next; node != NULL; node = next) {
                next = node->next;
                release(node);
            }
        }
        free(shard->chains);
    }
}

/* ---- sessions: who pays ------------------------------------------------------------------------------------------ */

struct session {
    struct node node;         /* the key is the session's token */
    char *merchant;
    char *agent;
    unsigned long payments;
    unsigned long spent;      /* cents */
    time_t opened;
};

static struct table sessions;

static void session_open(unsigned number) {
    char token[32], merchant[64];
    snprintf(token, sizeof token, "session-%08u", number);
    snprintf(merchant, sizeof merchant, "Merchant %04u Ltd", number % 5000);

    struct session *session = need(calloc(1, sizeof *session));
    session->node.key = need(strdup(token));
    session->merchant = need(strdup(merchant));
    session->agent = need(strdup("till/4.2 (x86_64; point of sale; locale en_GB; build 20117)"));
    session->opened = time(NULL);

    unsigned long h = hash(token);
    struct shard *shard = table_shard(&sessions, h);
    *table_place(&sessions, h, token) = &session->node;
    shard->nodes++;
    shard->bytes += sizeof *session + strlen(token) + 1 + strlen(merchant) + 1 + strlen(session->agent) + 1;
}

/* Charges a session; `after` receives what it has come to. NULL when there is no such session. */
static struct session *session_charge(const char *token, unsigned long amount, struct session *after) {
    unsigned long h = hash(token);
    struct shard *shard = table_shard(&sessions, h);
    pthread_mutex_lock(&shard->lock);
    struct session *session = (struct session *)*table_place(&sessions, h, token);
    if (session != NULL) {
        session->payments++;
        session->spent += amount;
        *after = *session;
    }
    pthread_mutex_unlock(&shard->lock);
    return session;
}

static void session_release(struct node *node) {
    struct session *session = (struct session *)node;
    free(session->agent);
    free(session->merchant);
    free(session->node.key);
    free(session);
}

/* ---- the ledger: the latest entry of each card ------------------------------------------------------------------- */

struct entry {
    struct node node;         /* the key is the card */
    char *id;
    struct session *session;  /* NULL in an opening entry */
    unsigned long amount;     /* cents */
    time_t recorded;
};

static struct table ledger;

static size_t entry_bytes(const struct entry *entry) {
    return sizeof *entry + strlen(entry->node.key) + 1 + strlen(entry->id) + 1;
}

/* Takes over the card, and copies the id. */
static struct entry *entry_new(char *card, const char *id, struct session *session, unsigned long amount) {
    struct entry *entry = need(malloc(sizeof *entry));
    entry->node.next = NULL;
    entry->node.key = card;
    entry->id = need(strdup(id));
    entry->session = session;
    entry->amount = amount;
    entry->recorded = time(NULL);
    return entry;
}

static void entry_release(struct node *node) {
    struct entry *entry = (struct entry *)node;
    free(entry->id);
    free(entry->node.key);
    free(entry);
}

/* Puts an entry in the place of its card's former one, which is returned for the caller to release. */
static struct entry *ledger_replace(struct entry *entry) {
    unsigned long h = hash(entry->node.key);
    struct shard *shard = table_shard(&ledger, h);
    pthread_mutex_lock(&shard->lock);
    struct node **place = table_place(&ledger, h, entry->node.key);
    struct entry *former = (struct entry *)*place;
    *place = &entry->node;
    shard->bytes += entry_bytes(entry);
    if (former != NULL) {
        entry->node.next = former->node.next;
        shard->bytes -= entry_bytes(former);
    } else {
        shard->nodes++;
    }
    pthread_mutex_unlock(&shard->lock);
    return former;
}

static void ledger_open(unsigned number) {
    char card[32], id[32];
    snprintf(card, sizeof card, "card-%012u", number);
    snprintf(id, sizeof id, "opening-%022u", number);
    ledger_replace(entry_new(need(strdup(card)), id, NULL, 0));
}

/* ---- payments ---------------------------------------------------------------------------------------------------- */

struct payment {
    char *id;
    char *card;
    const char *session;      /* in the request's body */
    unsigned long amount;     /* cents */
};

static atomic_ulong payments_accepted, payments_declined;

/* Letters, digits, '-' and '_', at most 64 of them. */
static bool is_token(const char *text) {
    static const char allowed[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz-";
    size_t length = text == NULL ? 0 : strlen(text);
    return length >= 1 && length <= 64 && strspn(text, allowed) == length;
}

/* Reads a line, which it cuts into pieces. */
static bool payment_read(struct payment *payment, char *line) {
    const char *id = NULL, *card = NULL, *amount = "";
    *payment = (struct payment){0};
    for (char *field; (field = strsep(&line, "&")) != NULL;) {
        const char *name = strsep(&field, "=");
        if (strcmp(name, "id") == 0)
            id = field;
        else if (strcmp(name, "card") == 0)
            card = field;
        else if (strcmp(name, "session") == 0)
            payment->session = field;
        else if (strcmp(name, "amount") == 0 && field != NULL)
            amount = field;
    }
    char *end;
    payment->amount = strtoul(amount, &end, 10);
    if (!is_token(id) || !is_token(card) || !is_token(payment->session) || payment->amount == 0 || *end != '\0')
        return false;
    payment->id = need(strdup(id));
    payment->card = need(strdup(card));
    return true;
}

/* The bug: the ledger has its own copy of the id, so this one should go here too, and nobody noticed. */
static void payment_release(struct payment *payment) {
    free(payment->card);
}

/* Pays one line and prints its receipt; false when it is declined. */
static bool pay(char *line, struct buffer *answer) {
    struct payment payment;
    if (!payment_read(&payment, line)) {
        buffer_print(answer, "{\"declined\":\"malformed payment\"}");
        return false;
    }
    struct session after;
    struct session *session = session_charge(payment.session, payment.amount, &after);
    if (session == NULL) {
        buffer_print(answer, "{\"declined\":\"unknown session\"}");
        payment_release(&payment);
        return false;
    }
    struct entry *entry = entry_new(payment.card, payment.id, session, payment.amount);
    payment.card = NULL;
    struct entry *former = ledger_replace(entry);
    buffer_print(answer, "{\"payments\":%lu,\"spent\":%lu,\"replaced\":\"%s\"}", after.payments, after.spent,
                 former == NULL ? "" : former->id);
    if (former != NULL)
        entry_release(&former->node);
    payment_release(&payment);
    return true;
}

/* Pays the lines of a request's body. */
static void pay_batch(const char *body, size_t length, struct buffer *answer) {
    unsigned long accepted = 0, declined = 0;
    char *lines = need(strndup(body, length)), *rest = lines;
    buffer_print(answer, "{\"receipts\":[");
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        if (*line == '\0')
            continue;
        if (accepted + declined > 0)
            buffer_append(answer, ",", 1);
        if (pay(line, answer))
            accepted++;
        else
            declined++;
    }
    buffer_print(answer, "],\"accepted\":%lu,\"declined\":%lu}", accepted, declined);
    free(lines);
    atomic_fetch_add(&payments_accepted, accepted);
    atomic_fetch_add(&payments_declined, declined);
}

static void stats(struct buffer *answer) {
    size_t open_sessions = 0, entries = 0, bytes = 0;
    table_sum(&sessions, &open_sessions, &bytes);
    table_sum(&ledger, &entries, &bytes);
    buffer_print(answer, "{\"sessions\":%zu,\"entries\":%zu,\"kept_bytes\":%zu,\"accepted\":%lu,\"declined\":%lu}",
                 open_sessions, entries, bytes, atomic_load(&payments_accepted), atomic_load(&payments_declined));
}

/* ---- HTTP -------------------------------------------------------------------------------------------------------- */

struct request {
    const char *line;         /* method and target, with `line_length` bytes */
    size_t line_length;
    const char *body;
    size_t body_length;
    size_t length;            /* header and body */
    bool keep_alive;
};

/* What reading a request comes to: 0 for more bytes are needed, 200 for it is whole, else the status to refuse with. */
static int request_read(struct request *request, const char *bytes, size_t length) {
    const char *end = memmem(bytes, length, "\r\n\r\n", 4);
    if (end == NULL)
        return length > HEADER_MAX ? 431 : 0;
    const char *line_end = memmem(bytes, length, "\r\n", 2);
    const char *version = memmem(bytes, (size_t)(line_end - bytes), " HTTP/1.", 8);
    if (version == NULL || version + 9 != line_end)
        return 400;
    *request = (struct request){.line = bytes, .line_length = (size_t)(version - bytes)};
    request->keep_alive = version[8] != '0';

    for (const char *field = line_end + 2; field < end + 2; field = line_end + 2) {
        line_end = memmem(field, (size_t)(end + 2 - field), "\r\n", 2);
        if (strncasecmp(field, "Content-Length:", 15) == 0) {
            char *digits_end;
            request->body_length = strtoul(field + 15, &digits_end, 10);
            if (digits_end != line_end || request->body_length > BODY_MAX)
                return digits_end != line_end ? 400 : 413;
        } else if (strncasecmp(field, "Transfer-Encoding:", 18) == 0) {
            return 501;
        } else if (strncasecmp(field, "Connection: close", 17) == 0) {
            request->keep_alive = false;
        } else if (strncasecmp(field, "Connection: keep-alive", 22) == 0) {
            request->keep_alive = true;
        }
    }
    request->body = end + 4;
    request->length = (size_t)(request->body - bytes) + request->body_length;
    return request->length <= length ? 200 : 0;
}

static bool request_is(const struct request *request, const char *line) {
    return request->line_length == strlen(line) && memcmp(request->line, line, request->line_length) == 0;
}

static const char *reason(int status) {
    switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 413: return "Content Too Large";
    case 431: return "Request Header Fields Too Large";
    default: return "Not Implemented";
    }
}

/* Appends the response to a request that was read with this status. */
static void respond(int status, const struct request *request, struct buffer *out) {
    struct buffer answer = {0};
    buffer_reserve(&answer, 256);
    if (status == 200 && request_is(request, "POST /pay"))
        pay_batch(request->body, request->body_length, &answer);
    else if (status == 200 && request_is(request, "GET /health"))
        buffer_print(&answer, "{\"status\":\"ok\"}");
    else if (status == 200 && request_is(request, "GET /stats"))
        stats(&answer);
    else
        status = status == 200 ? 404 : status;
    if (status != 200)
        buffer_print(&answer, "{\"error\":\"%s\"}", reason(status));

    buffer_print(out, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", status,
                 reason(status), answer.length);
    buffer_append(out, answer.data, answer.length);
    buffer_release(&answer);
}

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

    table_init(&sessions, session_count);
    table_init(&ledger, card_count);
    for (unsigned i = 0; i < session_count; i++)
        session_open(i);
    for (unsigned i = 0; i < card_count; i++)
        ledger_open(i);

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
    table_release(&ledger, entry_release);
    table_release(&sessions, session_release);
    return 0;
}
