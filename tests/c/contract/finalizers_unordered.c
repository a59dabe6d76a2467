/* Unordered finalizers do not wait for each other; those of order `unreachable` wait until no object about to be
 * finalized reaches theirs. */
#include "check.h"

struct node {
    struct node *next;
    size_t number;
};

static size_t parents_run, children_run, intact, together;
static enum gc_finalizer_order order_of_child;

static void parent(void *object, void *data)
{
    struct node *node = object;
    (void)data;
    parents_run++;
    intact += node->next != NULL && node->next->number == ~node->number;
}

static void child(void *object, void *data)
{
    (void)object;
    (void)data;
    children_run++;
}

static void pairs(void)
{
    size_t i;
    for (i = 0; i < MANY; i++) {
        struct node *a = gc_malloc(sizeof *a), *b = gc_malloc(sizeof *b);
        a->next = b;
        a->number = i;
        b->number = ~i;
        CHECK(gc_finalizer_set(a, parent, NULL, GC_FINALIZER_UNORDERED) == 0, "no finalizer");
        CHECK(gc_finalizer_set(b, child, NULL, order_of_child) == 0, "no finalizer");
    }
}

static void cycle_member(void *object, void *data)
{
    struct node *node = object;
    (void)data;
    together += node->next != NULL && node->next->next == node;
}

static void cycles(void)
{
    size_t i;
    for (i = 0; i < MANY; i++) {
        struct node *a = gc_malloc(sizeof *a), *b = gc_malloc(sizeof *b);
        a->next = b;
        b->next = a;
        CHECK(gc_finalizer_set(a, cycle_member, NULL, GC_FINALIZER_UNORDERED) == 0, "no finalizer");
        CHECK(gc_finalizer_set(b, cycle_member, NULL, GC_FINALIZER_UNORDERED) == 0, "no finalizer");
    }
}

int main(void)
{
    order_of_child = GC_FINALIZER_UNORDERED;
    run(pairs);
    gc_collect();
    CHECK(parents_run >= MOST(MANY) && children_run >= MOST(MANY), "after one collection %zu and %zu of %d ran",
          parents_run, children_run, MANY);
    CHECK(intact == parents_run, "%zu of %zu objects were intact in their finalizers", intact, parents_run);

    run(cycles);
    gc_collect();
    CHECK(together >= MOST(2 * MANY), "%zu of %d finalizers on cycles ran, whole", together, 2 * MANY);

    parents_run = children_run = intact = 0;
    order_of_child = GC_FINALIZER_UNREACHABLE;
    run(pairs);
    gc_collect();
    CHECK(parents_run >= MOST(MANY), "%zu of %d parents", parents_run, MANY);
    CHECK(children_run <= MANY / 100, "%zu finalizers ran while an object about to be finalized reached theirs",
          children_run);
    clear_stack(16);
    gc_collect();
    gc_collect();
    CHECK(children_run >= MOST(MANY), "%zu of %d finalizers ran when nothing reached their objects", children_run,
          MANY);
    return 0;
}
