/* What is reachable stays, with its contents; what is not is taken back: a list of a million pairs, a thousand
 * cycles. */
#include "check.h"

struct node {
    struct node *next, *other;
    size_t number;
};

static struct node *kept;
static gc_weak *dropped[MANY];

static void build(void)
{
    size_t i;
    for (i = 0; i < 1000000; i++) {
        struct node *node = gc_malloc(sizeof *node);
        CHECK(node != NULL, "node %zu: %s", i, strerror(errno));
        node->number = i;
        node->next = kept;
        node->other = gc_malloc(sizeof *node);
        node->other->number = ~i;
        node->other->next = node;
        kept = node;
    }
}

static void drop_cycles(void)
{
    int i;
    for (i = 0; i < MANY; i++) {
        struct node *a = gc_malloc(sizeof *a), *b = gc_malloc(sizeof *b);
        a->next = b;
        b->next = a;
        dropped[i] = observe(a);
    }
}

static void walk(void)
{
    const struct node *node;
    size_t i = 1000000;
    for (node = kept; node != NULL; node = node->next) {
        i--;
        CHECK(node->number == i, "node %zu says %zu", i, node->number);
        CHECK(node->other->number == ~i && node->other->next == node, "the companion of node %zu is damaged", i);
    }
    CHECK(i == 0, "%zu nodes are missing", i);
}

int main(void)
{
    unsigned long before = gc_collections();
    run(build);
    CHECK(gc_collections() > before, "48 MB allocated, and no collection started by itself");
    run(drop_cycles);
    gc_collect();
    walk();
    CHECK(cleared(dropped, MANY) >= MOST(MANY), "%zu cycles stay", MANY - cleared(dropped, MANY));
    kept = NULL;
    clear_stack(16);
    gc_collect();
    CHECK(stats().live_objects_last < 20000, "%lu objects are live after 2,000,000 were dropped",
          (unsigned long)stats().live_objects_last);
    return 0;
}
