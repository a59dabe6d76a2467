/*
 * Binary trees: many short-lived trees of every even depth beside one deep tree that lives, as in the well-known
 * cross-language benchmark. Nodes are two words, the smallest scanned object there is.
 *
 * One tree deeper than all others is built and dropped first. For each depth d the program builds 2^(max - d + 4)
 * trees, so that all depths allocate about alike; the threads share them out. Then the long-lived tree is walked.
 *
 * A leaf has no children, so its second word carries the label of its tree: a walk that meets a leaf of another tree
 * has met memory that was taken back too early. Labels are small numbers, no collector takes them for addresses.
 *
 *     binary_trees [--threads N] [--depth MAX]
 */
#include "report.h"

enum { DEPTH_MIN = 4, DEPTH_STEP = 2, DEPTH_LIMIT = 24, LABEL_KEPT = 1, LABEL_STRETCH = 2, LABEL_FIRST = 3 };

struct tree {
    struct tree *left;              /* NULL in a leaf */
    union {
        struct tree *right;
        uintptr_t label;            /* in a leaf */
    };
};

static unsigned long depth_max, threads;

static struct tree *tree_new(unsigned long depth, uintptr_t label)
{
    struct tree *left = NULL, *right = NULL;
    if (depth > 0) {
        left = tree_new(depth - 1, label);
        right = tree_new(depth - 1, label);
    }
    struct tree *tree = alloc_scanned(sizeof *tree);
    tree->left = left;
    if (depth > 0)
        tree->right = right;
    else
        tree->label = label;
    return tree;
}

/* The number of nodes. A tree that is not the one that was built ends the program. */
static uint64_t tree_count(const struct tree *tree, unsigned long depth, uintptr_t label)
{
    int is_leaf = tree->left == NULL;
    if (is_leaf != (depth == 0) || (is_leaf && tree->label != label)) {
        fprintf(stderr, "binary_trees: tree %lu lost the node %p, %lu levels above its leaves\n", (unsigned long)label,
                (const void *)tree, depth);
        abort();
    }
    if (is_leaf)
        return 1;
    return 1 + tree_count(tree->left, depth - 1, label) + tree_count(tree->right, depth - 1, label);
}

static void tree_free(struct tree *tree)
{
    if (ALLOC_COLLECTS)
        return;
    if (tree->left != NULL) {
        tree_free(tree->left);
        tree_free(tree->right);
    }
    alloc_free(tree);
}

/* One thread's share of the trees of every depth. */
static uint64_t build_share(unsigned long thread)
{
    uint64_t sum = 0;
    for (unsigned long depth = DEPTH_MIN; depth <= depth_max; depth += DEPTH_STEP) {
        unsigned long count = 1UL << (depth_max - depth + DEPTH_MIN);
        for (unsigned long i = thread; i < count; i += threads) {
            uintptr_t label = LABEL_FIRST + i;
            struct tree *tree = tree_new(depth, label);
            sum += mix(depth) * tree_count(tree, depth, label);
            tree_free(tree);
        }
    }
    return sum;
}

int main(int argc, char **argv)
{
    alloc_init();
    threads = argument_threads(argc, argv);
    depth_max = argument(argc, argv, "--depth", 19);
    if (depth_max < DEPTH_MIN || depth_max > DEPTH_LIMIT) {
        fprintf(stderr, "binary_trees: --depth takes %d to %d\n", DEPTH_MIN, DEPTH_LIMIT);
        return 2;
    }
    double started = report_now();
    struct tree *stretch = tree_new(depth_max + 1, LABEL_STRETCH);
    uint64_t checksum = mix(0) * tree_count(stretch, depth_max + 1, LABEL_STRETCH);
    tree_free(stretch);
    stretch = NULL;

    struct tree *kept = tree_new(depth_max, LABEL_KEPT);
    checksum += run_threads(threads, build_share);
    checksum += mix(1) * tree_count(kept, depth_max, LABEL_KEPT);
    tree_free(kept);
    report("binary_trees", threads, started, checksum, "");
    return 0;
}
