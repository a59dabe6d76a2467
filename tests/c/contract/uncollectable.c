/* Uncollectable objects live until gc_free, and what they hold lives as long. */
#include "check.h"

static uintptr_t hidden[MANY];
static gc_weak *children[MANY];

static void fill(void)
{
    int i;
    for (i = 0; i < MANY; i++) {
        void **root = gc_malloc_uncollectable(64 + (size_t)(i % 8) * 3000);
        CHECK(root != NULL, "object %d: %s", i, strerror(errno));
        root[1] = gc_malloc(32);
        children[i] = observe(root[1]);
        hidden[i] = hide(root);
    }
}

static void free_all(void)
{
    int i;
    for (i = 0; i < MANY; i++)
        gc_free(reveal(hidden[i]));
}

int main(void)
{
    int i;
    run(fill);
    gc_collect();
    gc_collect();
    for (i = 0; i < MANY; i++) {
        void **root = reveal(hidden[i]);
        CHECK(gc_base(root) == root, "uncollectable object %d was taken", i);
        CHECK(root[1] == gc_weak_get(children[i]) && root[1] != NULL, "the child of %d is gone", i);
    }
    run(free_all);
    gc_collect();
    CHECK(cleared(children, MANY) >= MOST(MANY), "freed objects keep %zu", MANY - cleared(children, MANY));
    return 0;
}
