/* Without the malloc door, words in glibc's heap and in mappings keep nothing; gc_root_add makes them roots. */
#include <sys/mman.h>
#include "check.h"

static void **in_malloc, **in_mapping, **announced;
static gc_weak *cells[3][MANY];

static void fill(void)
{
    int i;
    for (i = 0; i < MANY; i++) {
        /* Sizes of their own: a root at an announced object also keeps the slot that ends there. */
        cells[0][i] = observe(in_malloc[i] = gc_malloc(48));
        cells[1][i] = observe(in_mapping[i] = gc_malloc(64));
        cells[2][i] = observe(announced[i] = gc_malloc(80));
    }
}

int main(void)
{
    in_malloc = malloc(MANY * sizeof *in_malloc);
    announced = malloc(MANY * sizeof *announced);
    in_mapping = mmap(NULL, MANY * sizeof *in_mapping, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(in_malloc != NULL && announced != NULL && in_mapping != MAP_FAILED, "no memory");
    CHECK(gc_root_add(announced, announced + MANY) == 0, "the range was refused");
    run(fill);
    gc_collect();
    CHECK(cleared(cells[0], MANY) >= MOST(MANY), "glibc's heap keeps %zu", MANY - cleared(cells[0], MANY));
    CHECK(cleared(cells[1], MANY) >= MOST(MANY), "a mapping keeps %zu", MANY - cleared(cells[1], MANY));
    CHECK(cleared(cells[2], MANY) == 0, "announced memory of malloc lost %zu", cleared(cells[2], MANY));
    CHECK(gc_root_remove(announced, announced + MANY) == 0, "not removed");
    free(announced);
    free(in_malloc);
    return 0;
}
