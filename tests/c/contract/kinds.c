/* Kinds with a trace procedure: what it reports is kept, what it does not report is not; kinds run out at 64. */
#include "check.h"

/* A pointer stored complemented, a range, and a word that the procedure passes over. */
struct shape {
    uintptr_t complemented;
    size_t length;
    void *ignored;
    void *range[5];
};

static gc_kind kind;
static struct shape *shapes[MANY];
static gc_weak *kept[MANY][3], *lost[MANY][2];

static void trace(void *object, size_t size, gc_tracer *tracer)
{
    const struct shape *shape = object;
    if (size < sizeof *shape)
        abort();
    if (shape->complemented != 0)
        gc_trace_word(tracer, reveal(shape->complemented));
    gc_trace_range(tracer, shape->range, shape->range + shape->length);
}

static void *child(gc_weak **cell)
{
    void *p = gc_malloc(48);
    *cell = observe(p);
    return p;
}

static void fill(void)
{
    int i;
    for (i = 0; i < MANY; i++) {
        struct shape *shape = shapes[i] = gc_malloc_kind(sizeof *shape, kind);
        CHECK(shape != NULL, "object %d: %s", i, strerror(errno));
        CHECK(shape->complemented == 0 && shape->length == 0, "object %d is not zeroed", i);
        shape->complemented = hide(child(&kept[i][0]));
        shape->ignored = child(&lost[i][0]);
        shape->length = 4;
        shape->range[0] = child(&kept[i][1]);
        shape->range[3] = child(&kept[i][2]);
        shape->range[4] = child(&lost[i][1]);
    }
}

static void trace_nothing(void *object, size_t size, gc_tracer *tracer)
{
    (void)object;
    (void)size;
    (void)tracer;
}

int main(void)
{
    size_t made = 1;

    kind = gc_kind_new(trace);
    CHECK(kind != 0, "no kind: %s", strerror(errno));
    run(fill);
    gc_collect();
    gc_collect();
    CHECK(cleared(kept[0], MANY * 3) == 0, "%zu objects died that were reported", cleared(kept[0], MANY * 3));
    CHECK(cleared(lost[0], MANY * 2) >= MOST(MANY * 2), "%zu objects live that were not reported",
          MANY * 2 - cleared(lost[0], MANY * 2));
    CHECK(gc_base(reveal(shapes[0]->complemented)) == reveal(shapes[0]->complemented), "a reported object moved");

    errno = 0;
    while (made <= 64 && gc_kind_new(trace_nothing) != 0)
        made++;
    CHECK(made <= 64, "%zu kinds, and more", made);
    CHECK(made >= 32, "only %zu kinds", made);
    CHECK(errno == ENOSPC, "no more kinds: errno %d", errno);
    CHECK_REFUSED(EINVAL, gc_malloc_kind(16, 0));
    CHECK_REFUSED(EINVAL, gc_malloc_kind(16, (gc_kind)opaque(100000)));
    return 0;
}
