/* Finalizers are replaced, cleared, given their data; they may allocate and collect, one level deep; their number is
 * told. */
#include "check.h"

static size_t first_run, second_run, with_data, depth, deepest;

static void first(void *object, void *data)
{
    (void)object;
    (void)data;
    first_run++;
}

static void second(void *object, void *data)
{
    (void)object;
    second_run++;
    with_data += strcmp(*(char **)data, "data") == 0;
}

static void replaced_and_cleared(void)
{
    int i;
    for (i = 0; i < MANY; i++) {
        void *p = gc_malloc(32), *q = gc_malloc(32);
        char **data = gc_malloc(sizeof *data);
        *data = gc_strdup("data");
        CHECK(gc_finalizer_set(p, first, NULL, GC_FINALIZER_ORDERED) == 0, "no finalizer");
        CHECK(gc_finalizer_set(p, second, data, GC_FINALIZER_UNORDERED) == 0, "not replaced");
        CHECK(gc_finalizer_set(q, first, NULL, GC_FINALIZER_ORDERED) == 0, "no finalizer");
        CHECK(gc_finalizer_clear(q) == 0, "not cleared");
        CHECK(gc_finalizer_clear(q) == EINVAL, "cleared twice");
    }
}

static void busy(void *object, void *data)
{
    int i;
    (void)object;
    (void)data;
    depth++;
    deepest = depth > deepest ? depth : deepest;
    for (i = 0; i < 100; i++)
        use(gc_malloc(200));
    gc_collect();
    CHECK(gc_finalizers_run() == 0, "a finalizer ran finalizers");
    depth--;
}

static void fill_busy(void)
{
    int i;
    for (i = 0; i < 100; i++)
        CHECK(gc_finalizer_set(gc_malloc(64), busy, NULL, GC_FINALIZER_UNORDERED) == 0, "no finalizer");
}

int main(void)
{
    char on_stack[32];
    void *object = gc_malloc(16);
    uint64_t before;
    int i;

    run(replaced_and_cleared);
    before = stats().finalizers_run;
    gc_collect();
    CHECK(first_run == 0, "%zu finalizers ran that were replaced or cleared", first_run);
    CHECK(second_run >= MOST(MANY) && second_run <= MANY, "%zu of %d finalizers ran", second_run, MANY);
    CHECK(with_data == second_run, "%zu of %zu got their data whole", with_data, second_run);
    CHECK(stats().finalizers_run == before + second_run, "%lu ran, say the statistics, not %zu",
          (unsigned long)(stats().finalizers_run - before), second_run);
    CHECK(stats().finalizers_pending == 0, "%lu are ready and did not run", (unsigned long)stats().finalizers_pending);

    before = stats().finalizers_run;
    run(fill_busy);
    for (i = 0; i < 3; i++)
        gc_collect();
    CHECK(stats().finalizers_run >= before + 99, "%lu of 100 ran", (unsigned long)(stats().finalizers_run - before));
    CHECK(deepest == 1, "finalizers ran %zu levels deep", deepest);

    CHECK(gc_finalizer_set(NULL, first, NULL, GC_FINALIZER_ORDERED) == EINVAL, "NULL was taken");
    CHECK(gc_finalizer_set(on_stack, first, NULL, GC_FINALIZER_ORDERED) == EINVAL, "a stack address was taken");
    CHECK(gc_finalizer_set((char *)object + 8, first, NULL, GC_FINALIZER_ORDERED) == EINVAL, "an interior address");
    CHECK(gc_finalizer_set(object, first, NULL, (enum gc_finalizer_order)opaque(9)) == EINVAL, "order 9 was taken");
    CHECK(gc_finalizer_clear(object) == EINVAL, "an object without a finalizer was cleared");
    return 0;
}
