/*
 * A full collection of a large heap of 64-byte objects.
 *
 *     mark [--megabytes N] [--order 0|1|2] [--collections N]
 *
 * --order 0: a graph in random order. The objects are the nodes of a binary heap under a random permutation, so that
 * each is found by one edge; two more edges lead anywhere. --order 1: one array refers to the objects in the order of
 * their making, as a vector of boxed values does. --order 2: a list in random order, so that a marker finds each object
 * by the one before.
 *
 * collect_ms is the median of the collections asked for; then every object is visited. metadata_percent is what gleaner
 * says of its metadata, by the bytes of all objects. Without a collector the program only builds and visits.
 */
#include "report.h"

enum { OBJECT = 64, CHILDREN = 2, COLLECTIONS_MAX = 101 };

struct object {
    struct object *child[CHILDREN];     /* of the heap; NULL beyond its end */
    struct object *anywhere[CHILDREN];
    uint64_t serial, proof, rest[2];
};
_Static_assert(sizeof(struct object) == OBJECT, "the figure is for objects of this size");

enum order { GRAPH, ARRAY, LIST, ORDERS };

static unsigned long order;
static struct object *graph, **array;   /* a list is a graph of which each object has one child */

/* Makes all objects, kept by an array that is a root. */
static struct object **objects_new(uint64_t count)
{
    struct object **objects = alloc_uncollectable(count * sizeof *objects);
    for (uint64_t i = 0; i < count; i++) {
        objects[i] = alloc_scanned(sizeof **objects);
        *objects[i] = (struct object){ .serial = i, .proof = mix(i) };
    }
    return objects;
}

static void permute(struct object **objects, uint64_t count)
{
    uint64_t state = count;
    for (uint64_t i = count - 1; i > 0; i--) {
        uint64_t other = random_below(&state, i + 1);
        struct object *object = objects[i];
        objects[i] = objects[other];
        objects[other] = object;
    }
}

static void link_graph(struct object **objects, uint64_t count)
{
    uint64_t state = 1;
    for (uint64_t i = 0; i < count; i++)
        for (uint64_t c = 0; c < CHILDREN; c++) {
            uint64_t child = CHILDREN * i + 1 + c;
            objects[i]->child[c] = child < count ? objects[child] : NULL;
            objects[i]->anywhere[c] = objects[random_below(&state, count)];
        }
}

static void link_list(struct object **objects, uint64_t count)
{
    for (uint64_t i = 0; i + 1 < count; i++)
        objects[i]->child[0] = objects[i + 1];
}

/* Links the objects and lets go of the array, or keeps the array alone. */
static void graph_new(uint64_t count)
{
    struct object **objects = objects_new(count);
    if (order == ARRAY) {
        array = alloc_scanned(count * sizeof *array);
        memcpy(array, objects, count * sizeof *array);
    } else {
        permute(objects, count);
        (order == GRAPH ? link_graph : link_list)(objects, count);
        graph = objects[0];
    }
    memset(objects, 0, count * sizeof *objects);
    alloc_release(objects);
}

static uint64_t object_check(const struct object *object)
{
    if (object->proof != mix(object->serial))
        report_lost("mark", object, object->proof, mix(object->serial));
    return object->proof;
}

static uint64_t graph_sum(const struct object *object)
{
    if (object == NULL)
        return 0;
    return object_check(object) + graph_sum(object->child[0]) + graph_sum(object->child[1])
         + (object->anywhere[0]->serial ^ object->anywhere[1]->serial);
}

static uint64_t array_sum(uint64_t count)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < count; i++)
        sum += object_check(array[i]);
    return sum;
}

static uint64_t list_sum(void)
{
    uint64_t sum = 0;
    for (const struct object *object = graph; object != NULL; object = object->child[0])
        sum = sum * 31 + object_check(object);
    return sum;
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
    char figures[160];
    double collect_ms[COLLECTIONS_MAX];
    alloc_init();
    uint64_t count = (argument(argc, argv, "--megabytes", 1024) << 20) / OBJECT;
    unsigned long collections = argument(argc, argv, "--collections", 3);
    order = argument(argc, argv, "--order", 0);
    if (count == 0 || order >= ORDERS || collections < 1 || collections > COLLECTIONS_MAX) {
        fprintf(stderr, "mark: --megabytes takes at least 1, --order 0 to 2, --collections 1 to %d\n", COLLECTIONS_MAX);
        return 2;
    }
    double started = report_now();
    graph_new(count);
    alloc_collect();                    /* takes the array, and whatever building left behind */
    for (unsigned long i = 0; i < collections; i++) {
        double collect_started = report_now();
        alloc_collect();
        collect_ms[i] = (report_now() - collect_started) * 1e3;
    }
    qsort(collect_ms, collections, sizeof *collect_ms, by_value);
    snprintf(figures, sizeof figures, "collect_ms=%.2f collect_ns_an_object=%.2f metadata_percent=%.2f",
             collect_ms[collections / 2], collect_ms[collections / 2] * 1e6 / (double)count,
             (double)alloc_figures().metadata_bytes * 100 / (double)(count * OBJECT));
    uint64_t checksum = order == ARRAY ? array_sum(count) : order == GRAPH ? graph_sum(graph) : list_sum();
    report("mark", 1, started, checksum, figures);
    return 0;
}
