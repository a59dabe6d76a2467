/* gc_collect counts; gc_disable nests and stops every collection; gc_enable too often is harmless. */
#include "check.h"

static void allocate(void)
{
    int i;
    for (i = 0; i < 1000000; i++)
        use(gc_malloc(64));
}

int main(void)
{
    unsigned long before = gc_collections();
    gc_collect();
    CHECK(gc_collections() == before + 1, "gc_collect counted %lu", gc_collections() - before);

    gc_disable();
    gc_disable();
    before = gc_collections();
    allocate();
    gc_collect();
    CHECK(gc_collections() == before, "%lu collections while disabled", gc_collections() - before);
    gc_enable();
    gc_collect();
    CHECK(gc_collections() == before, "disabled twice, enabled once: %lu collections", gc_collections() - before);
    gc_enable();
    gc_collect();
    CHECK(gc_collections() == before + 1, "enabled again: %lu collections", gc_collections() - before);

    gc_enable();
    gc_enable();
    gc_disable();
    before = gc_collections();
    gc_collect();
    CHECK(gc_collections() == before, "one gc_enable too many outweighs a gc_disable");
    gc_enable();
    allocate();
    CHECK(gc_collections() > before, "64 MB allocated, and no collection started by itself");
    return 0;
}
