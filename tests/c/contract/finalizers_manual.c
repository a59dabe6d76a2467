/* With option finalizers=manual they run in gc_finalizers_run and nowhere else. */
#include "check.h"

static size_t ran;

static void finalizer(void *object, void *data)
{
    (void)object;
    (void)data;
    ran++;
}

static void fill(void)
{
    int i;
    for (i = 0; i < MANY; i++)
        CHECK(gc_finalizer_set(gc_malloc(64), finalizer, NULL, GC_FINALIZER_UNORDERED) == 0, "no finalizer");
}

static void allocate(void)
{
    int i;
    for (i = 0; i < 1000000; i++)
        use(gc_malloc(64));
}

int main(void)
{
    size_t result;
    CHECK(gc_option_set("finalizers", "manual") == 0, "the option was refused");
    run(fill);
    gc_collect();
    run(allocate);
    CHECK(ran == 0, "%zu finalizers ran by themselves", ran);
    CHECK(stats().finalizers_pending >= MOST(MANY), "only %lu are ready", (unsigned long)stats().finalizers_pending);
    result = gc_finalizers_run();
    CHECK(ran >= MOST(MANY) && result == ran, "gc_finalizers_run says %zu, %zu of %d ran", result, ran, MANY);
    return 0;
}
