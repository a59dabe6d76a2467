/* What C, POSIX and glibc promise of each function of the family, one by one. */
#include <malloc.h>
#include "family.h"

static const size_t sizes[] = {0, 1, 15, 16, 17, 24, 48, 100, 128, 1000, 4096, 5000, 65536, 262143, 262144, 300000, 3 << 20};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void aligned_to_16_and_usable(void)
{
    size_t size;
    int i;
    for (size = 0; size < 20000; size = size < 300 ? size + 1 : size + 117) {
        char *p = malloc(size);
        CHECK((uintptr_t)p % 16 == 0, "malloc(%zu) is %p", size, (void *)p);
        CHECK(malloc_usable_size(p) >= size, "malloc(%zu) has %zu usable bytes", size, malloc_usable_size(p));
        memset(p, 0xee, malloc_usable_size(p));
        free(p);
    }
    for (i = 0; i < SIZES; i++) {
        CHECK((uintptr_t)malloc(sizes[i]) % 16 == 0, "malloc(%zu)", sizes[i]);
        CHECK((uintptr_t)calloc(1, sizes[i]) % 16 == 0, "calloc(1, %zu)", sizes[i]);
        CHECK((uintptr_t)realloc(malloc(10), sizes[i] + 1) % 16 == 0, "realloc to %zu", sizes[i] + 1);
    }
    CHECK(malloc_usable_size(NULL) == 0, "NULL has usable bytes");
}

static void nothing_is_an_object_of_its_own(void)
{
    void *p[4];
    int i, j;
    p[0] = malloc(0);
    p[1] = malloc(0);
    p[2] = calloc(0, 8);
    p[3] = realloc(NULL, 0);
    for (i = 0; i < 4; i++) {
        CHECK(p[i] != NULL, "empty object %d is NULL", i);
        for (j = 0; j < i; j++)
            CHECK(p[i] != p[j], "empty objects %d and %d are one", i, j);
    }
    for (i = 0; i < 4; i++)
        free(p[i]);
}

static void calloc_zeroes_what_was_used_before(void)
{
    int round, i;
    for (round = 0; round < 4; round++)
        for (i = 0; i < SIZES; i++) {
            unsigned char *used = malloc(sizes[i]), *fresh;
            memset(used, 0xee, malloc_usable_size(used));
            free(used);
            fresh = calloc(sizes[i] ? sizes[i] : 1, 1);
            CHECK(is_all(fresh, 0, sizes[i]), "calloc of %zu bytes is not zero", sizes[i]);
            memset(fresh, 0xee, sizes[i]);
            free(fresh);
        }
}

static void realloc_keeps_what_fits(void)
{
    int i, j;
    for (i = 0; i < SIZES; i++)
        for (j = 0; j < SIZES; j++) {
            size_t from = sizes[i], to = sizes[j] ? sizes[j] : 1, kept = from < to ? from : to;
            unsigned char *p = malloc(from);
            memset(p, 0x5a, from);
            errno = 4711;
            p = realloc(p, to);
            CHECK(p != NULL && errno == 4711, "realloc from %zu to %zu: errno %d", from, to, errno);
            CHECK(is_all(p, 0x5a, kept), "realloc from %zu to %zu lost bytes", from, to);
            CHECK(malloc_usable_size(p) >= to, "realloc to %zu has %zu", to, malloc_usable_size(p));
            free(p);
        }
}

static void realloc_to_nothing_frees(void)
{
    void *p = malloc(3 << 20);
    errno = 4711;
    CHECK(realloc(p, 0) == NULL && errno == 4711, "realloc(p, 0) is not NULL, or errno is %d", errno);
    CHECK(malloc_usable_size(p) == 0, "realloc(p, 0) did not free");
    CHECK(reallocarray(malloc(10), 0, 10) == NULL, "reallocarray(p, 0, 10)");
}

static void errno_is_kept(void)
{
    int i;
    void *p;
    for (i = 0; i < SIZES; i++) {
        p = malloc(sizes[i]);
        errno = 4711;
        free(p);
        CHECK(errno == 4711, "free of %zu bytes left errno %d", sizes[i], errno);
        p = malloc(sizes[i]);
        CHECK(errno == 4711, "malloc(%zu) left errno %d", sizes[i], errno);
        free_sized(p, sizes[i]);
        p = calloc(1, sizes[i]);
        CHECK(errno == 4711, "calloc(1, %zu) left errno %d", sizes[i], errno);
        free(p);
    }
    free(NULL);
    free_sized(NULL, 10);
    free_aligned_sized(NULL, 64, 10);
    CHECK(posix_memalign(&p, 4096, 100) == 0 && errno == 4711, "posix_memalign left errno %d", errno);
    free_aligned_sized(p, 4096, 100);
    malloc_trim(0);
    CHECK(errno == 4711, "malloc_trim left errno %d", errno);
}

static void alignments_are_kept(void)
{
    size_t alignment;
    int i;
    for (alignment = 8; alignment <= (size_t)1 << 30; alignment *= 2)
        for (i = 0; i < 3; i++) {
            static const size_t some[] = {1, 100, 70000};
            void *p = NULL, *q = aligned_alloc(alignment, some[i]), *r = memalign(alignment, some[i]);
            CHECK(posix_memalign(&p, alignment, some[i]) == 0, "no memory at a multiple of %zu", alignment);
            CHECK(((uintptr_t)p | (uintptr_t)q | (uintptr_t)r) % alignment == 0, "%p, %p, %p are no multiples of %zu", p,
                  q, r, alignment);
            memset(p, 1, some[i]);
            memset(q, 2, some[i]);
            memset(r, 3, some[i]);
            CHECK(is_all(p, 1, some[i]) && is_all(q, 2, some[i]), "aligned objects overlap");
            free_aligned_sized(p, alignment, some[i]);
            free(q);
            free(r);
        }
    CHECK((uintptr_t)valloc(100) % 4096 == 0, "valloc");
    CHECK((uintptr_t)pvalloc(100) % 4096 == 0 && malloc_usable_size(pvalloc(100)) >= 4096, "pvalloc");
}

/* An alignment beyond 16 belongs to one allocation: realloc keeps the contents, and promises 16. */
static void realloc_of_an_aligned_object(void)
{
    int i;
    for (i = 0; i < SIZES; i++) {
        unsigned char *p = memalign(4096, 1000);
        memset(p, 0x77, 1000);
        p = realloc(p, sizes[i] + 1);
        CHECK((uintptr_t)p % 16 == 0 && is_all(p, 0x77, sizes[i] + 1 < 1000 ? sizes[i] + 1 : 1000), "to %zu", sizes[i]);
        free(p);
    }
}

static void tuning_is_accepted(void)
{
    CHECK(mallopt(M_MMAP_THRESHOLD, 1 << 20) == 1 && mallopt(M_TRIM_THRESHOLD, 0) == 1, "a known parameter");
    CHECK(mallopt(M_ARENA_MAX, 1) == 1 && mallopt(4711, 1) == 1, "an unknown parameter, which glibc accepts");
    CHECK((uintptr_t)malloc(2 << 20) % 16 == 0, "after mallopt");
}

int main(void)
{
    aligned_to_16_and_usable();
    nothing_is_an_object_of_its_own();
    calloc_zeroes_what_was_used_before();
    realloc_keeps_what_fits();
    realloc_to_nothing_frees();
    errno_is_kept();
    alignments_are_kept();
    realloc_of_an_aligned_object();
    tuning_is_accepted();
    return 0;
}
