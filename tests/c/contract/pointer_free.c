/* An address in a pointer-free object keeps nothing. */
#include "check.h"

static void **holders[MANY];
static gc_weak *children[MANY];

static void fill(void)
{
    int i;
    for (i = 0; i < MANY; i++) {
        void *child = gc_malloc(40);
        holders[i] = gc_malloc_atomic(64 + (size_t)(i % 8) * 2000);
        holders[i][0] = holders[i][3] = child;
        children[i] = observe(child);
    }
}

int main(void)
{
    run(fill);
    gc_collect();
    CHECK(cleared(children, MANY) >= MOST(MANY), "pointer-free objects keep %zu of %d", MANY - cleared(children, MANY),
          MANY);
    return 0;
}
