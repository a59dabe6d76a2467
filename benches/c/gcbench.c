/*
 * GCBench, after the benchmark by John Ellis and Pete Kovac in the form that Hans Boehm gave it.
 *
 * A large binary tree stretches the heap and is dropped. A smaller one and a big array of numbers live to the end.
 * Then trees of growing depth are built and dropped, for every depth about as many nodes as the stretch tree
 * has twice over: half of the trees from the root downwards (older objects come to point to younger ones), half from
 * the leaves upwards. Every thread runs the whole of it, with a tree and an array of its own.
 *
 * Each node knows its place in its tree, so a walk proves that every node is still the one that was built.
 *
 *     gcbench [--threads N] [--stretch DEPTH] [--array DOUBLES] [--walk 1]
 *
 * The long-lived tree and the deepest trees are two levels lower than the stretch tree. With --walk 1 each short-lived
 * tree is walked before it is dropped; without it, the last of each kind and depth.
 */
#include "report.h"

enum { DEPTH_MIN = 4, DEPTH_STEP = 2, DEPTH_LIMIT = 26 };

struct node {
    struct node *left, *right;
    uint32_t place;             /* 1 for the root, 2n and 2n + 1 for the children of n */
    uint32_t depth;             /* levels below */
};

static unsigned long stretch_depth, array_length, walk_each;

static unsigned long tree_nodes(unsigned long depth) { return (2UL << depth) - 1; }

static struct node *node_new(struct node *left, struct node *right, uint32_t place, uint32_t depth)
{
    struct node *node = alloc_scanned(sizeof *node);
    *node = (struct node){ left, right, place, depth };
    return node;
}

/* Upwards: a node is made when its children exist. */
static struct node *tree_upwards(uint32_t depth, uint32_t place)
{
    if (depth == 0)
        return node_new(NULL, NULL, place, 0);
    struct node *left = tree_upwards(depth - 1, 2 * place);
    struct node *right = tree_upwards(depth - 1, 2 * place + 1);
    return node_new(left, right, place, depth);
}

/* Downwards: a node exists before its children are made and stored into it. */
static void tree_downwards(struct node *node)
{
    if (node->depth == 0)
        return;
    node->left = node_new(NULL, NULL, 2 * node->place, node->depth - 1);
    node->right = node_new(NULL, NULL, 2 * node->place + 1, node->depth - 1);
    tree_downwards(node->left);
    tree_downwards(node->right);
}

static uint64_t tree_sum(const struct node *node, uint32_t depth, uint32_t place)
{
    if (node == NULL || node->place != place || node->depth != depth
        || (depth == 0 && (node->left != NULL || node->right != NULL))) {
        fprintf(stderr, "gcbench: node %u, %u levels above the leaves, is lost: %p is not what was built\n", place,
                depth, (const void *)node);
        abort();
    }
    if (depth == 0)
        return mix(place);
    return mix(place) + tree_sum(node->left, depth - 1, 2 * place) + tree_sum(node->right, depth - 1, 2 * place + 1);
}

static void tree_free(struct node *node)
{
    if (ALLOC_COLLECTS || node == NULL)
        return;
    tree_free(node->left);
    tree_free(node->right);
    alloc_free(node);
}

/* Builds and drops `count` trees of one depth and one direction; returns the sum of those that were walked. */
static uint64_t build_trees(unsigned long count, uint32_t depth, int upwards)
{
    uint64_t sum = 0;
    for (unsigned long i = 0; i < count; i++) {
        struct node *tree;
        if (upwards) {
            tree = tree_upwards(depth, 1);
        } else {
            tree = node_new(NULL, NULL, 1, depth);
            tree_downwards(tree);
        }
        if (walk_each || i + 1 == count)
            sum += tree_sum(tree, depth, 1);
        tree_free(tree);
    }
    return sum;
}

static double *array_new(void)
{
    double *array = alloc_pointer_free(array_length * sizeof *array);
    for (unsigned long i = 0; i < array_length; i++)
        array[i] = 1.0 / (double)(i + 1);
    return array;
}

static void array_check(const double *array)
{
    for (unsigned long i = 0; i < array_length; i++)
        if (array[i] != 1.0 / (double)(i + 1)) {
            fprintf(stderr, "gcbench: element %lu of the long-lived array is %g, not 1/%lu\n", i, array[i], i + 1);
            abort();
        }
}

static uint64_t gcbench(unsigned long thread)
{
    (void)thread;
    uint32_t depth_max = (uint32_t)stretch_depth - 2;
    struct node *stretch = tree_upwards((uint32_t)stretch_depth, 1);
    uint64_t sum = tree_sum(stretch, (uint32_t)stretch_depth, 1);
    tree_free(stretch);
    stretch = NULL;

    struct node *kept = node_new(NULL, NULL, 1, depth_max);
    tree_downwards(kept);
    double *array = array_new();

    for (uint32_t depth = DEPTH_MIN; depth <= depth_max; depth += DEPTH_STEP) {
        unsigned long count = 2 * tree_nodes(stretch_depth) / tree_nodes(depth);
        sum += build_trees(count, depth, 0);
        sum += build_trees(count, depth, 1);
        sum += tree_sum(kept, depth_max, 1);
    }
    array_check(array);
    tree_free(kept);
    alloc_free(array);
    return sum;
}

int main(int argc, char **argv)
{
    alloc_init();
    unsigned long threads = argument_threads(argc, argv);
    stretch_depth = argument(argc, argv, "--stretch", 18);
    array_length = argument(argc, argv, "--array", 500000);
    walk_each = argument(argc, argv, "--walk", 0);
    if (stretch_depth < DEPTH_MIN + 2 || stretch_depth > DEPTH_LIMIT || array_length == 0) {
        fprintf(stderr, "gcbench: --stretch takes %d to %d, --array at least 1\n", DEPTH_MIN + 2, DEPTH_LIMIT);
        return 2;
    }
    double started = report_now();
    uint64_t checksum = run_threads(threads, gcbench);
    report("gcbench", threads, started, checksum, "");
    return 0;
}
