/* A gc_realloc that fails leaves the old object whole. */
#include "check.h"

static void whole(const unsigned char *p, size_t size)
{
    size_t i;
    CHECK(gc_base(p) == p && gc_usable_size(p) >= size, "the object at %p is gone", (const void *)p);
    for (i = 0; i < size; i++)
        CHECK(p[i] == (unsigned char)(i * 3), "byte %zu of %zu is %#x", i, size, p[i]);
}

int main(void)
{
    static const size_t sizes[] = {16, 100, 8192, 100000, 2000000};
    size_t i, j;

    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char *p = gc_malloc(sizes[i]), *moved;
        for (j = 0; j < sizes[i]; j++)
            p[j] = (unsigned char)(j * 3);

        CHECK_REFUSED(ENOMEM, gc_realloc(p, opaque(SIZE_MAX)));
        CHECK_REFUSED(ENOMEM, gc_realloc(p, opaque((size_t)PTRDIFF_MAX + 1)));
        whole(p, sizes[i]);

        gc_heap_limit_set(64 << 20);
        CHECK_REFUSED(ENOMEM, gc_realloc(p, 128 << 20));
        whole(p, sizes[i]);
        gc_collect();
        whole(p, sizes[i]);

        gc_heap_limit_set(0);
        moved = gc_realloc(p, sizes[i] * 2);
        CHECK(moved != NULL, "size %zu: %s", sizes[i] * 2, strerror(errno));
        whole(moved, sizes[i]);
    }
    return 0;
}
