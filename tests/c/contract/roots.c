/* Announced ranges: roots while they are announced, as often as they are, and not after. */
#include <sys/mman.h>
#include "check.h"

static void **mapping; /* memory that is no root by itself */
static gc_weak *cells[MANY];

static void fill(void)
{
    int i;
    for (i = 0; i < MANY; i++) {
        mapping[i] = gc_malloc(48);
        cells[i] = observe(mapping[i]);
    }
}

int main(void)
{
    void **end;
    mapping = mmap(NULL, MANY * sizeof *mapping, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(mapping != MAP_FAILED, "mmap: %s", strerror(errno));
    end = mapping + MANY;

    CHECK(gc_root_add(mapping, end) == 0, "the range was refused");
    CHECK(gc_root_add(mapping, end) == 0, "the range was refused a second time");
    run(fill);
    gc_collect();
    CHECK(cleared(cells, MANY) == 0, "an announced range lost %zu", cleared(cells, MANY));
    CHECK(gc_root_remove(mapping, end) == 0, "the range was not found");
    gc_collect();
    CHECK(cleared(cells, MANY) == 0, "a range announced twice and removed once lost %zu", cleared(cells, MANY));
    CHECK(gc_root_remove(mapping, end) == 0, "the range was not found the second time");
    clear_stack(16);
    gc_collect();
    CHECK(cleared(cells, MANY) >= MOST(MANY), "a removed range keeps %zu", MANY - cleared(cells, MANY));

    CHECK(gc_root_remove(mapping, end) == EINVAL, "a range was removed three times");
    CHECK(gc_root_add(end, mapping) == EINVAL, "a range that ends before it begins was taken");
    return 0;
}
