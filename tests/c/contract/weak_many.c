/* Many weak cells of both kinds at each object: a resurrected one loses the short ones only, a dead one loses all. */
#include "check.h"

enum { OBJECTS = 100, CELLS = 1000 };

static gc_weak *cells[OBJECTS][CELLS];
static void *resurrected[OBJECTS];

static void resurrect(void *object, void *data) { resurrected[(size_t)data] = object; }

static void fill(void)
{
    size_t i, j;
    for (i = 0; i < OBJECTS; i++) {
        void *object = gc_malloc(48);
        CHECK(gc_finalizer_set(object, resurrect, (void *)i, GC_FINALIZER_UNORDERED) == 0, "object %zu", i);
        for (j = 0; j < CELLS; j++)
            cells[i][j] = gc_weak_register(object, j % 3 == 0 ? GC_WEAK_SHORT : GC_WEAK_LONG);
    }
}

/* How many cells of a kind do not read as `expected`: the object, or null. */
static size_t wrong(size_t i, int is_short, const void *expected)
{
    size_t j, n = 0;
    for (j = 0; j < CELLS; j++)
        n += (j % 3 == 0) == is_short && cells[i][j] != NULL && gc_weak_get(cells[i][j]) != expected;
    return n;
}

static void drop_some(void)
{
    size_t i, j, back = 0;
    for (i = 0; i < OBJECTS; i++) {
        if (resurrected[i] == NULL)
            continue;
        back++;
        CHECK(wrong(i, 1, NULL) == 0, "%zu short cells of a resurrected object are not clear", wrong(i, 1, NULL));
        CHECK(wrong(i, 0, resurrected[i]) == 0, "%zu long cells have lost their object", wrong(i, 0, resurrected[i]));
        for (j = i % 7; j < CELLS; j += 7) {
            gc_weak_unregister(cells[i][j]);
            cells[i][j] = NULL;
        }
        CHECK(wrong(i, 0, resurrected[i]) == 0, "%zu cells went with another one", wrong(i, 0, resurrected[i]));
        resurrected[i] = NULL;
    }
    CHECK(back >= MOST(OBJECTS), "only %zu of %d objects were finalized", back, OBJECTS);
}

int main(void)
{
    size_t i, gone = 0;
    run(fill);
    gc_collect();
    run(drop_some);
    gc_collect();
    for (i = 0; i < OBJECTS; i++)
        gone += wrong(i, 0, NULL) == 0;
    CHECK(gone >= MOST(OBJECTS) - 1, "only %zu of %d objects are gone", gone, OBJECTS);
    return 0;
}
