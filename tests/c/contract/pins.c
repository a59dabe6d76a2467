/* Pins are counted, keep what the object reaches, and end. */
#include "check.h"

static uintptr_t hidden[MANY];
static gc_weak *pinned[MANY], *children[MANY];

static void fill(void)
{
    int i;
    for (i = 0; i < MANY; i++) {
        void **p = gc_malloc(64);
        p[2] = gc_malloc(32);
        pinned[i] = observe(p);
        children[i] = observe(p[2]);
        CHECK(gc_pin(p) == 0 && gc_pin(p) == 0, "object %d cannot be pinned", i);
        hidden[i] = hide(p);
    }
}

static void unpin(void)
{
    int i, result;
    for (i = 0; i < MANY; i++) {
        result = gc_unpin(reveal(hidden[i]));
        CHECK(result == 0, "gc_unpin: %s", strerror(result));
    }
}

int main(void)
{
    char on_stack[32];
    void *never;
    int pass;

    run(fill);
    for (pass = 0; pass < 2; pass++) {
        gc_collect();
        CHECK(cleared(pinned, MANY) == 0, "%d of 2 pins lost %zu", 2 - pass, cleared(pinned, MANY));
        CHECK(cleared(children, MANY) == 0, "%d of 2 pins lost %zu children", 2 - pass, cleared(children, MANY));
        run(unpin);
    }
    gc_collect();
    CHECK(cleared(pinned, MANY) >= MOST(MANY), "%zu unpinned objects stay", MANY - cleared(pinned, MANY));

    never = gc_malloc(16);
    CHECK(gc_unpin(never) == EINVAL, "an object that is not pinned was unpinned");
    CHECK(gc_pin(NULL) == EINVAL, "NULL was pinned");
    CHECK(gc_pin(on_stack) == EINVAL, "a stack address was pinned");
    use(never);
    return 0;
}
