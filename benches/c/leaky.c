/*
 * A leaky server: each request makes six allocations, writes them, frees four and forgets two. The longest-lived of the
 * four waits in a short queue, as a response does that is still being sent.
 *
 *     leaky [--threads N] [--requests N]          requests of one thread
 */
#include "report.h"

enum { QUEUE = 64, ID = 40, HEADER = 32, HEADERS = 2, LOG_LINE = 56, BODY_MIN = 64, BODIES = 192, REQUEST = 96 };

static unsigned long requests;
static unsigned char *queues[THREADS_MAX][QUEUE];

/* An object with all its bytes written. */
static unsigned char *written(size_t size, uint64_t number)
{
    unsigned char *object = alloc_scanned(size);
    memset(object, (int)(number & 0x7f), size);
    return object;
}

static uint64_t handle(unsigned char **place, uint64_t number)
{
    uint64_t sum = 0;
    unsigned char *request = written(REQUEST, number), *headers[HEADERS];
    for (int i = 0; i < HEADERS; i++)
        headers[i] = written(HEADER, number + (uint64_t)i);
    sum += written(ID, number)[ID - 1];                 /* forgotten */
    sum += written(LOG_LINE, number)[LOG_LINE - 1];     /* forgotten */
    unsigned char *response = written(BODY_MIN + mix(number) % BODIES, number);
    for (int i = 0; i < HEADERS; i++) {
        sum += headers[i][HEADER - 1];
        alloc_release(headers[i]);
    }
    sum += request[REQUEST - 1];
    alloc_release(request);
    if (*place != NULL) {
        sum += (*place)[BODY_MIN - 1];
        alloc_release(*place);
    }
    *place = response;
    return sum;
}

static uint64_t serve(unsigned long thread)
{
    uint64_t sum = 0;
    for (unsigned long i = 0; i < requests; i++)
        sum += handle(&queues[thread][i % QUEUE], i);
    return sum;
}

int main(int argc, char **argv)
{
    alloc_init();
    unsigned long threads = argument_threads(argc, argv);
    requests = argument(argc, argv, "--requests", 10000000);
    double started = report_now();
    uint64_t checksum = run_threads(threads, serve);
    report_operations("leaky", threads, started, threads * requests, checksum, "");
    return 0;
}
