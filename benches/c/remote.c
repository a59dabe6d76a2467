/*
 * Two threads on one size, with remote frees: each allocates a chain of objects, leaves it in the other's box, and
 * frees the chain that it finds in its own. A chain that the other has not fetched yet is freed by who made it, so no
 * thread ever waits.
 *
 *     remote [--threads 2] [--size BYTES] [--chains N]
 *
 * --chains counts those of one thread; remote_percent says how many objects were freed by a thread that had not
 * allocated them. With more threads, each leaves its chains to the next.
 */
#include "report.h"

#include <stdatomic.h>

enum { CHAIN = 64, CACHE_LINE = 64 };

struct object {
    struct object *next;
    uint32_t maker, stamp;
};

static struct box {
    _Alignas(CACHE_LINE) _Atomic(struct object *) chain;
} boxes[THREADS_MAX];
static unsigned long threads, size, chains;
static _Atomic unsigned long freed_remotely;

static struct object *chain_new(unsigned long thread)
{
    struct object *chain = NULL;
    for (uint32_t i = 0; i < CHAIN; i++) {
        struct object *object = alloc_scanned(size);
        *object = (struct object){ chain, (uint32_t)thread, i };
        chain = object;
    }
    return chain;
}

/* Frees a chain and adds what it held to `sum`; the number of objects that `thread` had not made. */
static unsigned long chain_end(struct object *chain, unsigned long thread, uint64_t *sum)
{
    unsigned long remote = 0;
    while (chain != NULL) {
        struct object *next = chain->next;
        remote += chain->maker != thread;
        *sum += mix(chain->maker * CHAIN + chain->stamp);
        alloc_free(chain);
        chain = next;
    }
    return remote;
}

static uint64_t exchange(unsigned long thread)
{
    uint64_t sum = 0;
    unsigned long remote = 0;
    for (unsigned long i = 0; i < chains; i++) {
        struct object *chain = chain_new(thread);
        remote += chain_end(atomic_exchange(&boxes[(thread + 1) % threads].chain, chain), thread, &sum);
        remote += chain_end(atomic_exchange(&boxes[thread].chain, NULL), thread, &sum);
    }
    atomic_fetch_add(&freed_remotely, remote);
    return sum;
}

int main(int argc, char **argv)
{
    char remote[64];
    alloc_init();
    threads = argument_threads(argc, argv);
    if (threads == 1)
        threads = 2;
    size = argument(argc, argv, "--size", 64);
    chains = argument(argc, argv, "--chains", 200000);
    if (size < sizeof(struct object)) {
        fprintf(stderr, "remote: --size takes %zu bytes at least\n", sizeof(struct object));
        return 2;
    }
    double started = report_now();
    uint64_t checksum = run_threads(threads, exchange);
    for (unsigned long t = 0; t < threads; t++)
        chain_end(atomic_exchange(&boxes[t].chain, NULL), t, &checksum);
    uint64_t operations = threads * chains * CHAIN;
    snprintf(remote, sizeof remote, "remote_percent=%.0f",
             operations == 0 ? 0.0 : 100.0 * (double)freed_remotely / (double)operations);
    report_operations("remote", threads, started, operations, checksum, remote);
    return 0;
}
