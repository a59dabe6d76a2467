/*
 * A list of ten million nodes: the deepest structure there is, and in random order the worst one to mark.
 *
 * With --order 0 each node is linked when it is made, so that neighbours in the list are neighbours in memory. With
 * --order 1 all nodes are made first and then linked in a random order: every step of a walk, and of a marker that
 * follows one pointer at a time, is a cache miss. Every thread builds a list of its own, of its share of the nodes.
 *
 * A node carries its serial number twice, plain and mixed. The walk proves each node and the order of all.
 * Between building and walking, every collector collects --collections times; the time of the fastest is the time of a
 * full mark (in a run with several threads it contains waiting for one another).
 *
 *     list [--threads N] [--nodes N] [--order 0|1] [--collections N]
 */
#include "report.h"

struct node {
    struct node *next;
    uint64_t serial;
    uint64_t proof;             /* mix(serial) */
};

static unsigned long threads, nodes, order, collections;
static double collect_fastest_s[THREADS_MAX];

static struct node *node_new(struct node *next, uint64_t serial)
{
    struct node *node = alloc_scanned(sizeof *node);
    *node = (struct node){ next, serial, mix(serial) };
    return node;
}

static struct node *list_in_order(uint64_t first, uint64_t count)
{
    struct node *list = NULL;
    for (uint64_t i = count; i-- > 0;)
        list = node_new(list, first + i);
    return list;
}

/* A shuffled array of all nodes gives the order; it is dropped once they are linked. */
static struct node *list_shuffled(uint64_t first, uint64_t count)
{
    struct node **places = alloc_scanned(count * sizeof *places);
    for (uint64_t i = 0; i < count; i++)
        places[i] = NULL;
    for (uint64_t i = 0; i < count; i++)
        places[i] = node_new(NULL, first + i);
    for (uint64_t i = count; i-- > 1;) {
        uint64_t other = mix(first + i) % (i + 1);
        struct node *node = places[i];
        places[i] = places[other];
        places[other] = node;
    }
    for (uint64_t i = 0; i + 1 < count; i++)
        places[i]->next = places[i + 1];
    struct node *list = places[0];
    for (uint64_t i = 0; i < count; i++)
        places[i] = NULL;
    alloc_free(places);
    return list;
}

/* A sum that depends on the nodes and on their order. */
static uint64_t list_sum(const struct node *list, uint64_t first, uint64_t count)
{
    uint64_t sum = 0, length = 0;
    for (const struct node *node = list; node != NULL; node = node->next, length++) {
        if (node->proof != mix(node->serial) || node->serial - first >= count) {
            fprintf(stderr, "list: node %llu of %llu is lost: %p holds serial %llu and proof %llx\n",
                    (unsigned long long)length, (unsigned long long)count, (const void *)node,
                    (unsigned long long)node->serial, (unsigned long long)node->proof);
            abort();
        }
        sum = sum * 31 + node->serial;
    }
    if (length != count) {
        fprintf(stderr, "list: %llu of %llu nodes are left\n", (unsigned long long)length, (unsigned long long)count);
        abort();
    }
    return sum;
}

static void list_free(struct node *list)
{
    while (!ALLOC_COLLECTS && list != NULL) {
        struct node *next = list->next;
        alloc_free(list);
        list = next;
    }
}

static uint64_t list_life(unsigned long thread)
{
    uint64_t first = nodes * thread / threads;
    uint64_t count = nodes * (thread + 1) / threads - first;
    struct node *list = order == 0 ? list_in_order(first, count) : list_shuffled(first, count);
    double fastest_s = 0;
    for (unsigned long i = 0; ALLOC_COLLECTS && i < collections; i++) {
        double started = report_now();
        alloc_collect();
        double spent_s = report_now() - started;
        if (i == 0 || spent_s < fastest_s)
            fastest_s = spent_s;
    }
    collect_fastest_s[thread] = fastest_s;
    uint64_t sum = list_sum(list, first, count);
    list_free(list);
    return sum;
}

int main(int argc, char **argv)
{
    char collect_figure[64];
    alloc_init();
    threads = argument_threads(argc, argv);
    nodes = argument(argc, argv, "--nodes", 10000000);
    order = argument(argc, argv, "--order", 1);
    collections = argument(argc, argv, "--collections", 1);
    if (nodes < threads || order > 1) {
        fprintf(stderr, "list: --nodes takes at least one node a thread, --order takes 0 or 1\n");
        return 2;
    }
    double started = report_now();
    uint64_t checksum = run_threads(threads, list_life);
    snprintf(collect_figure, sizeof collect_figure, "order=%lu collect_seconds=%.3f", order, collect_fastest_s[0]);
    report(order == 0 ? "list_in_order" : "list_shuffled", threads, started, checksum, collect_figure);
    return 0;
}
