/* Ordered finalizers: the one that reaches goes before the one that is reached; a cycle of two waits forever, a
 * reference to itself does not count. */
#include "check.h"

struct node {
    struct node *next, *self;
    size_t chain, place;
};

enum { CHAINS = 200, LENGTH = 5 };

static unsigned char seen[CHAINS][LENGTH];
static size_t finalized, disordered, twice;

static void finalizer(void *object, void *data)
{
    struct node *node = object;
    (void)data;
    finalized++;
    twice += seen[node->chain][node->place];
    seen[node->chain][node->place] = 1;
    if (node->place > 0)
        disordered += !seen[node->chain][node->place - 1];
}

static struct node *node(size_t chain, size_t place)
{
    struct node *n = gc_malloc(sizeof *n);
    n->chain = chain;
    n->place = place;
    n->self = n;
    CHECK(gc_finalizer_set(n, finalizer, NULL, GC_FINALIZER_ORDERED) == 0, "no finalizer");
    return n;
}

static void chains(void)
{
    size_t chain, place;
    for (chain = 0; chain < CHAINS; chain++) {
        struct node *previous = node(chain, 0);
        for (place = 1; place < LENGTH; place++) {
            /* A plain object lies between the two: "reaches" is not "refers to". */
            struct node *between = gc_malloc(sizeof *between);
            previous->next = between;
            between->next = node(chain, place);
            previous = between->next;
        }
    }
}

static size_t cyclic;

static void never(void *object, void *data)
{
    (void)object;
    (void)data;
    cyclic++;
}

static gc_weak *on_cycles[CHAINS];

static void cycles(void)
{
    size_t i;
    for (i = 0; i < CHAINS; i++) {
        struct node *a = gc_malloc(sizeof *a), *b = gc_malloc(sizeof *b);
        a->next = b;
        b->next = a;
        on_cycles[i] = gc_weak_register(a, GC_WEAK_LONG);
        CHECK(gc_finalizer_set(a, never, NULL, GC_FINALIZER_ORDERED) == 0, "no finalizer");
        CHECK(gc_finalizer_set(b, never, NULL, GC_FINALIZER_ORDERED) == 0, "no finalizer");
    }
}

int main(void)
{
    int i;
    run(chains);
    for (i = 0; i < LENGTH + 2; i++) {
        gc_collect();
        clear_stack(16);
    }
    CHECK(disordered == 0, "%zu of %zu finalizers ran before one that reaches their object", disordered, finalized);
    CHECK(twice == 0, "%zu finalizers ran twice", twice);
    CHECK(finalized >= MOST(CHAINS * LENGTH), "%zu of %d finalizers ran", finalized, CHAINS * LENGTH);

    run(cycles);
    for (i = 0; i < 3; i++)
        gc_collect();
    CHECK(cyclic == 0, "%zu objects on cycles were finalized", cyclic);
    CHECK(cleared(on_cycles, CHAINS) == 0, "%zu objects on cycles were taken", cleared(on_cycles, CHAINS));
    CHECK(stats().finalizer_cycles > 0, "the statistics count no cycle");
    return 0;
}
