/* gc_memalign: every power of two, true starts, zeroed; other alignments are EINVAL. */
#include "check.h"

static void aligned(size_t alignment, size_t size)
{
    unsigned char *p = gc_memalign(alignment, size);
    size_t i;
    CHECK(p != NULL, "alignment %zu, size %zu: %s", alignment, size, strerror(errno));
    CHECK((uintptr_t)p % alignment == 0, "alignment %zu, size %zu: %p", alignment, size, (void *)p);
    CHECK(gc_base(p) == p, "alignment %zu, size %zu: %p starts at %p", alignment, size, (void *)p, gc_base(p));
    CHECK(gc_usable_size(p) >= size, "alignment %zu, size %zu: %zu bytes", alignment, size, gc_usable_size(p));
    for (i = 0; i < size; i++)
        CHECK(p[i] == 0, "alignment %zu, size %zu: byte %zu is %#x", alignment, size, i, p[i]);
    memset(p, 0xcc, gc_usable_size(p));
    if (size % 3 != 0)
        gc_free(p);
}

int main(void)
{
    static const size_t sizes[] = {0, 1, 16, 100, 4096, 70000};
    static const size_t bad[] = {0, 3, 6, 24, 4095, SIZE_MAX};
    size_t alignment, i;
    int round;

    for (round = 0; round < 3; round++)
        for (alignment = 1; alignment <= (4 << 20); alignment *= 2)
            for (i = 0; i < sizeof sizes / sizeof *sizes; i++)
                aligned(alignment, sizes[i]);
    for (i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_REFUSED(EINVAL, gc_memalign(opaque(bad[i]), 16));
    CHECK_REFUSED(ENOMEM, gc_memalign(opaque(4096), opaque(SIZE_MAX - 100)));
    CHECK_REFUSED(ENOMEM, gc_memalign(opaque((size_t)1 << 63), opaque(16)));
    return 0;
}
