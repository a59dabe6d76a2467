/* Weak cells: they hold while the object lives; short ones are cleared before its finalizer, long ones when it is
 * gone. */
#include "check.h"

static void *kept[MANY];
static gc_weak *of_kept[MANY][2], *of_dropped[MANY][2], *of_finalized[MANY][2];
static void *resurrected[MANY];
static size_t finalized, wrong;

static void store(void *object, void *data)
{
    size_t i = (size_t)data;
    finalized++;
    wrong += gc_weak_get(of_finalized[i][0]) != NULL; /* short: cleared before */
    wrong += gc_weak_get(of_finalized[i][1]) != object; /* long: not yet */
    resurrected[i] = object;
}

static void both(gc_weak *cells[2], void *object)
{
    cells[0] = gc_weak_register(object, GC_WEAK_SHORT);
    cells[1] = gc_weak_register(object, GC_WEAK_LONG);
    CHECK(cells[0] != NULL && cells[1] != NULL, "no cell: %s", strerror(errno));
    CHECK(gc_weak_get(cells[0]) == object && gc_weak_get(cells[1]) == object, "a new cell does not hold its object");
}

static void fill(void)
{
    size_t i;
    for (i = 0; i < MANY; i++) {
        void *object = gc_malloc(64);
        /* Another size: a root at a kept object also keeps the slot that ends there. */
        both(of_kept[i], kept[i] = gc_malloc(40));
        both(of_dropped[i], gc_malloc(24));
        both(of_finalized[i], object);
        CHECK(gc_finalizer_set(object, store, (void *)i, GC_FINALIZER_UNORDERED) == 0, "no finalizer");
    }
}

static void check_kept(void)
{
    size_t i;
    for (i = 0; i < MANY; i++)
        CHECK(gc_weak_get(of_kept[i][0]) == kept[i] && gc_weak_get(of_kept[i][1]) == kept[i],
              "the cells of live object %zu hold %p and %p, not %p", i, gc_weak_get(of_kept[i][0]),
              gc_weak_get(of_kept[i][1]), kept[i]);
}

static void check_resurrected(void)
{
    size_t i;
    for (i = 0; i < MANY; i++)
        if (resurrected[i] != NULL)
            CHECK(gc_weak_get(of_finalized[i][1]) == resurrected[i] && gc_weak_get(of_finalized[i][0]) == NULL,
                  "object %zu came back as %p; its long cell holds %p", i, resurrected[i],
                  gc_weak_get(of_finalized[i][1]));
}

static size_t long_cells_cleared(void)
{
    size_t i, n = 0;
    for (i = 0; i < MANY; i++)
        n += gc_weak_get(of_finalized[i][1]) == NULL;
    return n;
}

int main(void)
{
    char on_stack[32];
    size_t i;
    uint64_t before = stats().weak_cleared;

    run(fill);
    gc_collect();
    check_kept();
    CHECK(cleared(&of_dropped[0][0], 2 * MANY) >= MOST(2 * MANY), "the cells of %zu dropped objects still hold them",
          2 * MANY - cleared(&of_dropped[0][0], 2 * MANY));
    CHECK(finalized >= MOST(MANY) && wrong == 0, "%zu finalizers ran, %zu cells were wrong in them", finalized, wrong);
    CHECK(stats().weak_cleared >= before + MOST(2 * MANY), "only %lu cells cleared, say the statistics",
          (unsigned long)(stats().weak_cleared - before));
    check_resurrected();

    gc_collect();
    check_resurrected();
    check_kept();
    memset(resurrected, 0, sizeof resurrected);
    clear_stack(16);
    gc_collect();
    gc_collect();
    CHECK(long_cells_cleared() >= MOST(MANY), "%zu long cells hold objects that are gone", MANY - long_cells_cleared());

    for (i = 0; i < MANY; i++) {
        gc_weak_unregister(of_kept[i][0]);
        gc_weak_unregister(of_dropped[i][1]);
    }
    gc_weak_unregister(NULL);
    gc_collect();
    CHECK(gc_weak_get(of_kept[5][1]) == kept[5], "unregistering one cell of an object cleared the other");

    CHECK_REFUSED(EINVAL, gc_weak_register(NULL, GC_WEAK_SHORT));
    CHECK_REFUSED(EINVAL, gc_weak_register(on_stack, GC_WEAK_SHORT));
    CHECK_REFUSED(EINVAL, gc_weak_register(kept[0], (enum gc_weak_kind)opaque(7)));
    return 0;
}
