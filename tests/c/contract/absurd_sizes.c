/* Sizes beyond PTRDIFF_MAX and products that overflow are NULL and ENOMEM, and cost no collection. */
#include "check.h"

static void trace_nothing(void *object, size_t size, gc_tracer *tracer)
{
    (void)object;
    (void)size;
    (void)tracer;
}

int main(void)
{
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 15, SIZE_MAX - 4096, (size_t)PTRDIFF_MAX + 1};
    size_t i;
    unsigned long before = gc_collections();
    gc_kind kind;
    gc_layout layout;
    const unsigned long bits = 1;

    layout = gc_layout_from_bitmap(&bits, 1);
    kind = gc_kind_new(trace_nothing);
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t size = opaque(sizes[i]);
        CHECK_REFUSED(ENOMEM, gc_malloc(size));
        CHECK_REFUSED(ENOMEM, gc_malloc_atomic(size));
        CHECK_REFUSED(ENOMEM, gc_malloc_uncollectable(size));
        CHECK_REFUSED(ENOMEM, gc_calloc(1, size));
        CHECK_REFUSED(ENOMEM, gc_memalign(16, size));
        CHECK_REFUSED(ENOMEM, gc_realloc(NULL, size));
        CHECK_REFUSED(ENOMEM, gc_malloc_typed(size, layout));
        CHECK_REFUSED(ENOMEM, gc_malloc_kind(size, kind));
    }
    CHECK_REFUSED(ENOMEM, gc_calloc(opaque((size_t)1 << 32), opaque((size_t)1 << 32)));
    CHECK_REFUSED(ENOMEM, gc_calloc(opaque(SIZE_MAX / 2), opaque(3)));
    CHECK_REFUSED(ENOMEM, gc_calloc(opaque(3), opaque(SIZE_MAX / 2)));
    CHECK(gc_collections() == before, "%lu collections for sizes that none can serve",
          gc_collections() - before);

    CHECK(gc_calloc(0, opaque(SIZE_MAX)) != NULL, "no objects of any size are one empty object: %s", strerror(errno));
    CHECK(gc_calloc(opaque(SIZE_MAX), 0) != NULL, "no objects of any size are one empty object: %s", strerror(errno));
    return 0;
}
