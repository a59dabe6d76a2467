/* leaky_server: a server with four leaks, each of a kind of its own.
 *
 *     cc -O2 -pthread -o leaky_server leaky_server.c
 *     ./leaky_server [-p PORT] [-r RECORDS]
 *
 * A request is a line, and so is its answer. N things hold the numbers from SEED on, and the answer is their sum, taken
 * from the things when all of them are there:
 *
 *     buffers N SEED     N messages are read into buffers, and three of four are forgotten
 *     cycles N SEED      orders of 16 lines, each of which refers to its neighbours and its order; all are forgotten
 *     list N SEED        a report is a list of N nodes; it takes the place of the last one, which nobody takes apart
 *     thread N SEED      a thread of its own makes a list of N nodes, and dies with it
 *     stats              forgotten BYTES kept BYTES: as asked of malloc, and as given by it
 *
 * Each connection has a thread. All of them share the records, which are the server's real work: every request reads
 * some and replaces some, and those that go are freed as they should be. A record, or a report, that does not hold what
 * was put there ends the server with a message. SIGTERM ends it too, with status 0.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    TEXT_MAX = 160,           /* bytes of a record's text */
    RECORDS_READ = 200,       /* of a request */
    RECORDS_REPLACED = 20,
    ORDER_LINES = 16,
};

static atomic_ulong forgotten_bytes, kept_bytes;

static void die(const char *what) {
    fprintf(stderr, "leaky_server: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void *need(void *memory) {
    if (memory == NULL)
        die("out of memory");
    return memory;
}

static void forget(size_t bytes) {
    atomic_fetch_add_explicit(&forgotten_bytes, bytes, memory_order_relaxed);
}

/* The next of a series of numbers that look random. */
static uint64_t draw(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

/* ---- what the server keeps --------------------------------------------------------------------------------------- */

struct record {
    uint64_t number, check;   /* `check` is made of the number and the address */
    char text[TEXT_MAX];      /* written as far as it goes, the rest is what malloc left there */
};

enum { LOCKS = 64 };

static pthread_mutex_t locks[LOCKS];
static struct record **records;
static size_t record_count;

static uint64_t check_of(const struct record *record) {
    return record->number * 0x9e3779b97f4a7c15u ^ (uintptr_t)record;
}

static struct record *record_new(uint64_t number) {
    struct record *record = need(malloc(sizeof *record));
    record->number = number;
    record->check = check_of(record);
    snprintf(record->text, sizeof record->text, "record %lu, %.*s", number, (int)(number % 100),
             "a line of text of varying length, so that some of the room behind it is not written when it is new");
    return record;
}

/* Reads a record, which must be whole, and perhaps replaces it. */
static void record_visit(size_t place, bool replace, uint64_t number) {
    pthread_mutex_lock(&locks[place % LOCKS]);
    struct record *record = records[place];
    char expected[32];
    int length = snprintf(expected, sizeof expected, "record %lu, ", record->number);
    if (record->check != check_of(record) || memcmp(record->text, expected, (size_t)length) != 0) {
        fprintf(stderr, "leaky_server: record %zu at %p is lost\n", place, (void *)record);
        abort();
    }
    if (replace) {
        records[place] = record_new(number);
        free(record);
    }
    pthread_mutex_unlock(&locks[place % LOCKS]);
}

static void records_work(uint64_t seed) {
    for (int i = 0; i < RECORDS_READ; i++)
        record_visit(draw(&seed) % record_count, i % (RECORDS_READ / RECORDS_REPLACED) == 0, seed);
}

static void records_make(size_t count) {
    record_count = count;
    records = need(calloc(count, sizeof *records));
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_init(&locks[i], NULL);
    for (size_t i = 0; i < count; i++)
        records[i] = record_new(i);
    kept_bytes = malloc_usable_size(records) + count * malloc_usable_size(records[0]);
}

/* ---- forgotten buffers ------------------------------------------------------------------------------------------- */

/* From 16 bytes to 64 KiB, each size class as often as the next. */
static size_t buffer_size(uint64_t *random) {
    size_t least = (size_t)16 << draw(random) % 12;
    return least + draw(random) % least;
}

static uint64_t leak_buffers(unsigned long count, uint64_t seed) {
    uint64_t **messages = need(calloc(count, sizeof *messages)), sum = 0, random = seed;
    for (unsigned long i = 0; i < count; i++) {
        size_t size = buffer_size(&random);
        messages[i] = need(malloc(size));
        memset(messages[i], 'm', size / 2);
        messages[i][0] = seed + i;
        if (i % 4 != 0)
            forget(size);
    }
    for (unsigned long i = 0; i < count; i++) {
        sum += messages[i][0];
        if (i % 4 == 0)
            free(messages[i]);
    }
    free(messages);
    return sum;
}

/* ---- cycles ------------------------------------------------------------------------------------------------------ */

struct line {
    struct line *next, *previous;
    struct order *order;
    uint64_t number;
};

struct order {
    struct line *lines;
    struct order *next, *previous;
    char *customer;
};

static struct order *order_new(uint64_t first) {
    struct order *order = need(malloc(sizeof *order));
    order->customer = need(strdup("a customer who comes back"));
    order->lines = NULL;
    for (int i = 0; i < ORDER_LINES; i++) {
        struct line *line = need(malloc(sizeof *line)), *head = order->lines;
        *line = (struct line){.next = line, .previous = line, .order = order, .number = first + (unsigned)i};
        if (head != NULL) {
            line->next = head;
            line->previous = head->previous;
            line->previous->next = head->previous = line;
        } else {
            order->lines = line;
        }
    }
    order->next = order->previous = order;
    forget(sizeof *order + strlen(order->customer) + 1 + ORDER_LINES * sizeof(struct line));
    return order;
}

/* A ring of orders, each of which has a ring of lines. */
static uint64_t leak_cycles(unsigned long count, uint64_t seed) {
    uint64_t sum = 0;
    struct order *first = order_new(seed);
    for (unsigned long i = ORDER_LINES; i < count; i += ORDER_LINES) {
        struct order *order = order_new(seed + i);
        order->next = first;
        order->previous = first->previous;
        order->previous->next = first->previous = order;
    }
    struct order *order = first;
    do {
        struct line *line = order->lines;
        do
            sum += line->number;
        while ((line = line->next) != order->lines);
    } while ((order = order->next) != first);
    return sum;
}

/* ---- lists ------------------------------------------------------------------------------------------------------- */

struct node {
    struct node *next, *previous;   /* `previous` is used by one form only */
    uint64_t number;
};

enum form { PUSHED, APPENDED, BOTH_WAYS, FORMS };

static struct node *list_new(unsigned long count, uint64_t seed, enum form form) {
    struct node *head = NULL, **tail = &head, *last = NULL;
    for (unsigned long i = 0; i < count; i++) {
        struct node *node = need(malloc(sizeof *node));
        node->number = seed + i;
        if (form == PUSHED) {
            node->next = head;
            head = node;
        } else {
            node->next = NULL;
            node->previous = form == BOTH_WAYS ? last : NULL;
            *tail = last = node;
            tail = &node->next;
        }
    }
    forget(count * sizeof *head);
    return head;
}

static uint64_t list_sum(const struct node *node) {
    uint64_t sum = 0;
    for (; node != NULL; node = node->next)
        sum += node->number;
    return sum;
}

struct connection {
    int socket;
    struct node *report;      /* the last one */
    uint64_t report_sum;
};

/* The last report must be as whole as the new one. Then nobody knows it any more. */
static uint64_t leak_list(struct connection *connection, unsigned long count, uint64_t seed) {
    struct node *list = list_new(count, seed, seed % FORMS);
    if (list_sum(connection->report) != connection->report_sum) {
        fprintf(stderr, "leaky_server: the report at %p is lost\n", (void *)connection->report);
        abort();
    }
    connection->report = list;
    connection->report_sum = list_sum(list);
    return connection->report_sum;
}

/* ---- threads ----------------------------------------------------------------------------------------------------- */

struct job {
    unsigned long count;
    uint64_t seed;
    bool detached;
    uint64_t sum;             /* of a detached thread, once `done` is posted */
    sem_t done;
};

static __thread struct node *own_list;
static pthread_key_t other_list;

/* Its lists hang on a thread-local variable and on a key; what a joined one returns is another thing to forget. */
static void *job_run(void *argument) {
    struct job *job = argument;
    unsigned long half = job->count / 2;
    own_list = list_new(half, job->seed, PUSHED);
    pthread_setspecific(other_list, list_new(job->count - half, job->seed + half, BOTH_WAYS));
    uint64_t sum = list_sum(own_list) + list_sum(pthread_getspecific(other_list));
    if (!job->detached) {
        uint64_t *result = need(malloc(sizeof *result));
        *result = sum;
        return result;
    }
    job->sum = sum;
    sem_post(&job->done);
    return NULL;
}

static uint64_t leak_thread(unsigned long count, uint64_t seed) {
    struct job *job = need(calloc(1, sizeof *job));
    *job = (struct job){.count = count, .seed = seed, .detached = seed % 2 == 1};
    sem_init(&job->done, 0, 0);
    pthread_t thread;
    if ((errno = pthread_create(&thread, NULL, job_run, job)) != 0)
        die("pthread_create");
    forget(sizeof *job);
    if (!job->detached) {
        void *result;
        pthread_join(thread, &result);
        forget(sizeof(uint64_t));
        return *(uint64_t *)result;
    }
    pthread_detach(thread);
    while (sem_wait(&job->done) != 0)
        continue;
    return job->sum;
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

/* Writes the answer to a request; false when there is no such request. */
static bool respond(struct connection *connection, const char *request, FILE *out) {
    char kind[16];
    unsigned long count = 0, seed = 0;
    int fields = sscanf(request, "%15s %lu %lu", kind, &count, &seed);
    if (fields == 1 && strcmp(kind, "stats") == 0)
        return fprintf(out, "forgotten %lu kept %lu\n", forgotten_bytes, kept_bytes) > 0;
    if (fields != 3)
        return false;
    records_work(seed);
    uint64_t sum;
    if (strcmp(kind, "buffers") == 0)
        sum = leak_buffers(count, seed);
    else if (strcmp(kind, "cycles") == 0)
        sum = leak_cycles(count, seed);
    else if (strcmp(kind, "list") == 0)
        sum = leak_list(connection, count, seed);
    else if (strcmp(kind, "thread") == 0)
        sum = leak_thread(count, seed);
    else
        return false;
    return fprintf(out, "sum %lu\n", sum) > 0;
}

static void *connection_run(void *argument) {
    struct connection *connection = argument;
    FILE *in = need(fdopen(connection->socket, "r")), *out = need(fdopen(dup(connection->socket), "w"));
    char request[128];
    while (fgets(request, sizeof request, in) != NULL && respond(connection, request, out) && fflush(out) == 0)
        continue;
    fclose(out);
    fclose(in);
    free(connection);
    return NULL;
}

static void connection_start(int socket) {
    int yes = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    struct connection *connection = need(calloc(1, sizeof *connection));
    connection->socket = socket;
    pthread_t thread;
    if ((errno = pthread_create(&thread, NULL, connection_run, connection)) != 0)
        die("pthread_create");
    pthread_detach(thread);
}

static int listen_on(unsigned short port, struct sockaddr_in *address) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    socklen_t length = sizeof *address;
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(listener, (struct sockaddr *)address, length) != 0 || listen(listener, 128) != 0 ||
        getsockname(listener, (struct sockaddr *)address, &length) != 0)
        die("listen");
    return listener;
}

static void *accept_connections(void *listener) {
    for (;;) {
        int socket = accept4(*(int *)listener, NULL, NULL, SOCK_CLOEXEC);
        if (socket >= 0)
            connection_start(socket);
        else if (errno != EINTR && errno != ECONNABORTED)
            die("accept");
    }
    return NULL;
}

int main(int argc, char **argv) {
    unsigned long port = 0, count = 100000;
    for (int option; (option = getopt(argc, argv, "p:r:")) != -1;) {
        if (option == 'p' && (port = strtoul(optarg, NULL, 10)) <= 65535)
            continue;
        if (option == 'r' && (count = strtoul(optarg, NULL, 10)) > 0)
            continue;
        fprintf(stderr, "usage: leaky_server [-p PORT] [-r RECORDS]\n");
        return 2;
    }

    /* All threads inherit the blocked signal, so that the main thread can wait for it. */
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &end, NULL);
    signal(SIGPIPE, SIG_IGN);
    if ((errno = pthread_key_create(&other_list, NULL)) != 0)
        die("pthread_key_create");
    records_make(count);

    struct sockaddr_in address;
    int listener = listen_on((unsigned short)port, &address), number;
    pthread_t acceptor;
    if ((errno = pthread_create(&acceptor, NULL, accept_connections, &listener)) != 0)
        die("pthread_create");
    printf("leaky_server: listening on 127.0.0.1:%u, pid %d\n", ntohs(address.sin_port), (int)getpid());
    fflush(stdout);
    return sigwait(&end, &number);
}
