/* What a collection has looked at stays in no place that later ones search: not in the dead part of the stack of the
 * thread that collected, where a function finds it in what it does not write of its own frame. */
#include "check.h"

enum { RINGS = 20, NODES = 1000, UNWRITTEN = 64 << 10 };

struct node {
    struct node *next;
    long more[5];
};

static struct node *volatile ring; /* never read: the collector is its only reader */
static gc_weak *cell;

/* A ring, which any address of a node keeps whole. */
static void make(void)
{
    struct node *first = gc_malloc(sizeof *first), *last = first;
    int i;
    for (i = 1; i < NODES; i++)
        last = last->next = gc_malloc(sizeof *last);
    last->next = first;
    cell = observe(first);
    ring = first;
}

static NOINLINE void collect_above_what_is_unwritten(void)
{
    volatile char unwritten[UNWRITTEN];
    __asm__ volatile("" : : "r"(unwritten) : "memory");
    gc_collect();
    __asm__ volatile("" : : "r"(unwritten) : "memory");
}

int main(void)
{
    int i, stay = 0;
    clear_stack(2 * UNWRITTEN / 4096);
    for (i = 0; i < RINGS; i++) {
        run(make);
        gc_collect();
        CHECK(gc_weak_get(cell) != NULL, "ring %d is gone while its first node is known", i);
        ring = NULL;
        collect_above_what_is_unwritten();
        stay += gc_weak_get(cell) != NULL;
        gc_weak_unregister(cell);
    }
    CHECK(stay <= 1, "%d of %d forgotten rings stay", stay, RINGS);
    return 0;
}
