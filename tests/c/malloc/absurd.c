/* Sizes and alignments that no memory can have, through every function of the family: NULL or the errno value that each
 * promises, nothing written, errno left alone where POSIX says so, and no collection. */
#include <malloc.h>
#include "family.h"

static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 15, SIZE_MAX - 4096, (size_t)PTRDIFF_MAX + 1, PTRDIFF_MAX,
                               (size_t)1 << 48, ((size_t)1 << 48) - 200000, (size_t)1 << 46};
static const size_t no_powers[] = {0, 3, 24, 4095, SIZE_MAX};
static const size_t odd_for_posix[] = {0, 1, 2, 3, 4, 24, SIZE_MAX};

static void refuses_alignment(int expected, size_t alignment, size_t size)
{
    void *const untouched = &untouched_target;
    void *p = untouched;
    int status;
    errno = 4711;
    status = posix_memalign(&p, alignment, size);
    CHECK(status == expected, "posix_memalign(%zu, %zu) gave %d", alignment, size, status);
    CHECK(p == untouched && errno == 4711, "posix_memalign wrote %p and errno %d", p, errno);
}

int main(void)
{
    char *p = malloc(100);
    unsigned long before;
    size_t i;
    memcpy(p, "whole", 6);
    before = gc_collections();
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t size = opaque(sizes[i]);
        CHECK_REFUSED(ENOMEM, malloc(size));
        CHECK_REFUSED(ENOMEM, calloc(1, size));
        CHECK_REFUSED(ENOMEM, calloc(size, 1));
        CHECK_REFUSED(ENOMEM, realloc(NULL, size));
        CHECK_REFUSED(ENOMEM, realloc(p, size));
        CHECK_REFUSED(ENOMEM, reallocarray(p, 1, size));
        CHECK_REFUSED(ENOMEM, aligned_alloc(64, size));
        CHECK_REFUSED(ENOMEM, memalign(64, size));
        CHECK_REFUSED(ENOMEM, valloc(size));
        CHECK_REFUSED(ENOMEM, pvalloc(size));
        refuses_alignment(ENOMEM, 64, size);
    }
    CHECK_REFUSED(ENOMEM, calloc(opaque(SIZE_MAX / 2), opaque(3)));
    CHECK_REFUSED(ENOMEM, calloc(opaque((size_t)1 << 32), opaque((size_t)1 << 32)));
    CHECK_REFUSED(ENOMEM, reallocarray(p, opaque(SIZE_MAX / 2), opaque(3)));
    CHECK_REFUSED(ENOMEM, reallocarray(NULL, opaque((size_t)1 << 32), opaque((size_t)1 << 32)));
    CHECK(memcmp(p, "whole", 6) == 0 && malloc_usable_size(p) >= 100, "a realloc that failed damaged the old block");

    for (i = 0; i < sizeof no_powers / sizeof *no_powers; i++)
        CHECK_REFUSED(EINVAL, aligned_alloc(opaque(no_powers[i]), 100));
    for (i = 0; i < sizeof odd_for_posix / sizeof *odd_for_posix; i++)
        refuses_alignment(EINVAL, opaque(odd_for_posix[i]), 100);
    CHECK_REFUSED(EINVAL, memalign(opaque(SIZE_MAX), 100));
    CHECK_REFUSED(ENOMEM, memalign(opaque((size_t)1 << 62), 100));
    CHECK_REFUSED(ENOMEM, aligned_alloc(opaque((size_t)1 << 62), 100));
    refuses_alignment(ENOMEM, (size_t)1 << 62, 100);
    CHECK(gc_collections() == before, "%lu collections for what none can serve", gc_collections() - before);

    CHECK((uintptr_t)memalign(opaque(3), 100) % 4 == 0, "memalign does not round 3 up");
    CHECK(memalign(opaque(0), 100) != NULL, "memalign(0) refuses");
    CHECK(calloc(0, opaque(SIZE_MAX)) != NULL, "nothing of any size is an object");
    return 0;
}
