/* Kinds that promise zeroed memory give it, also from memory that was dirtied and then freed or reclaimed. */
#include "check.h"

static gc_layout layout;
static gc_kind kind;

static void trace_nothing(void *object, size_t size, gc_tracer *tracer)
{
    (void)object;
    (void)size;
    (void)tracer;
}

static void *make(int how, size_t size)
{
    switch (how) {
    case 0: return gc_malloc(size);
    case 1: return gc_calloc(1, size);
    case 2: return gc_malloc_uncollectable(size);
    case 3: return gc_memalign(64, size);
    case 4: return gc_malloc_typed(size, layout);
    default: return gc_malloc_kind(size, kind);
    }
}

enum { WAYS = 6 };

static void check_zero(int how, size_t size, const unsigned char *p, size_t room)
{
    size_t i;
    for (i = 0; i < room; i++)
        CHECK(p[i] == 0, "way %d, size %zu: byte %zu of %zu is %#x", how, size, i, room, p[i]);
}

static void dirty_and_drop(size_t size)
{
    int how, i;
    for (how = 0; how < WAYS; how++) {
        for (i = 0; i < 100; i++) {
            void *p = make(how, size);
            CHECK(p != NULL, "way %d, size %zu: %s", how, size, strerror(errno));
            check_zero(how, size, p, gc_usable_size(p));
            memset(p, 0xff, how == 4 ? size : gc_usable_size(p));
            if (how == 2 || i % 2 == 0)
                gc_free(p);
        }
    }
}

int main(void)
{
    static const size_t sizes[] = {1, 16, 24, 48, 100, 512, 1000, 4096, 8192, 20000, 65536, 300000};
    static const unsigned long first_word = 1;
    size_t i;
    int round;

    layout = gc_layout_from_bitmap(&first_word, 1);
    kind = gc_kind_new(trace_nothing);
    CHECK(layout != 0 && kind != 0, "no layout or no kind: %s", strerror(errno));
    for (round = 0; round < 4; round++) {
        for (i = 0; i < sizeof sizes / sizeof *sizes; i++)
            dirty_and_drop(sizes[i]);
        gc_collect();
    }
    return 0;
}
