/* Static data is a root: initialised, zeroed, of a function, and through an interior pointer. */
#include "check.h"

static void *initialised[MANY] = {(void *)1};
static void *zeroed[MANY];
void *global[MANY];
static gc_weak *cells[4][MANY];

static void **of_function(void)
{
    static void *words[MANY];
    return words;
}

static void fill(void)
{
    int i;
    for (i = 0; i < MANY; i++) {
        void *p = initialised[i] = gc_malloc(64);
        cells[0][i] = observe(p);
        cells[1][i] = observe(zeroed[i] = gc_malloc(64));
        p = gc_malloc(64);
        global[i] = (char *)p + 63;
        cells[2][i] = observe(p);
        cells[3][i] = observe(of_function()[i] = gc_malloc(64));
    }
}

static void forget(void)
{
    memset(initialised, 0, sizeof initialised);
    memset(zeroed, 0, sizeof zeroed);
    memset(global, 0, sizeof global);
    memset(of_function(), 0, MANY * sizeof(void *));
}

int main(void)
{
    run(fill);
    gc_collect();
    CHECK(cleared(&cells[0][0], 4 * MANY) == 0, "static data lost %zu", cleared(&cells[0][0], 4 * MANY));
    run(forget);
    gc_collect();
    CHECK(cleared(&cells[0][0], 4 * MANY) >= MOST(4 * MANY), "%zu objects stay",
          4 * MANY - cleared(&cells[0][0], 4 * MANY));
    return 0;
}
