/* Sizes, zeroes, alignment, kinds that a realloc keeps, what an address belongs to. */
#include "check.h"
#include <errno.h>
#include <stdint.h>

static int is_zero(const char *p, size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        if (p[i] != 0)
            return 0;
    return 1;
}

static void sizes(void) {
    static const size_t exact[][2] = {{0, 16}, {1, 16}, {7, 16}, {15, 16}, {16, 32}, {31, 32}, {32, 48}, {47, 48}};
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++) {
        CHECK(GC_size(GC_malloc(exact[i][0])) == exact[i][1], "GC_malloc(%zu)", exact[i][0]);
        CHECK(GC_size(GC_malloc_atomic(exact[i][0])) == exact[i][1], "GC_malloc_atomic(%zu)", exact[i][0]);
        CHECK(GC_get_size_map_at((int)exact[i][0]) == exact[i][1] || exact[i][0] == 0, "map %zu", exact[i][0]);
    }
    CHECK(GC_size(GC_malloc_uncollectable(16)) == 16, "an uncollectable object has no extra byte");
    CHECK(GC_size(GC_malloc_atomic_uncollectable(32)) == 32, "an uncollectable object has no extra byte");
    CHECK(GC_get_size_map_at(-1) == (size_t)-1, "no size");
    for (size_t bytes = 0; bytes < 70000; bytes = bytes * 9 / 8 + 1) {
        char *p = GC_malloc(bytes);
        CHECK(p != NULL && (uintptr_t)p % 16 == 0, "%zu bytes at %p", bytes, (void *)p);
        CHECK(GC_size(p) > bytes, "%zu bytes in %zu", bytes, GC_size(p));
        CHECK(is_zero(p, GC_size(p)), "%zu bytes are not zero", bytes);
        memset(p, 1, bytes);
        GC_free(p);
        p = GC_malloc(bytes);
        CHECK(is_zero(p, GC_size(p)), "%zu bytes are not zero again", bytes);
    }
}

static void queries(void) {
    static int static_word;
    int word;
    char *p = GC_malloc(1000), *large = GC_malloc(LARGE);
    CHECK(GC_base(p + 13) == p && GC_base(p) == p && GC_base(p + 999) == p, "base of a small object");
    CHECK(GC_base(large + LARGE - 1) == large && GC_base(large + 5000) == large, "base of a large object");
    CHECK(GC_base(&word) == NULL && GC_base(&static_word) == NULL && GC_base(NULL) == NULL, "base of no object");
    CHECK(GC_is_heap_ptr(p + 1) && GC_is_heap_ptr(large + 100000), "in the heap");
    CHECK(!GC_is_heap_ptr(NULL) && !GC_is_heap_ptr(&word) && !GC_is_heap_ptr(&static_word), "not in the heap");
    GC_noop1((GC_word)large);
}

static void reallocs(void) {
    char *p = GC_realloc(NULL, 100), *q;
    memset(p, 7, 100);
    q = GC_realloc(p, 90);
    CHECK(q == p && is_zero(q + 90, GC_size(q) - 90), "in place, and the rest is cleared");
    q = GC_realloc(p, 100000);
    CHECK(q[0] == 7 && q[89] == 7 && is_zero(q + 90, 100000 - 90), "the contents move, the rest is zero");
    q = GC_realloc(q, 10);
    CHECK(q[9] == 7 && GC_size(q) == 16, "smaller: %zu", GC_size(q));
    CHECK(GC_realloc(q, 0) == NULL, "freed");
    p = GC_malloc_uncollectable(16);
    p = GC_realloc(p, 48);
    CHECK(GC_size(p) == 48, "still uncollectable: %zu", GC_size(p));
    GC_free(p);
    GC_free(NULL);
}

static void strings_and_alignment(void) {
    char *s = GC_strdup("a string");
    void *p;
    CHECK(strcmp(s, "a string") == 0, "%s", s);
    CHECK(strcmp(GC_strndup(s, 3), "a s") == 0 && strcmp(GC_strndup(s, 99), s) == 0, "strndup");
    for (size_t align = 8; align <= 4096; align *= 2) {
        CHECK((uintptr_t)GC_memalign(align, 40) % align == 0, "memalign %zu", align);
        CHECK(GC_posix_memalign(&p, align, 3000) == 0 && (uintptr_t)p % align == 0, "posix_memalign %zu", align);
    }
    CHECK(GC_posix_memalign(&p, 24, 8) == EINVAL, "24 is no alignment");
    p = &p;
    CHECK(GC_clear_stack(p) == p, "clear_stack");
}

/* Uncollectable objects stay and are searched; others go. */
__attribute__((noinline)) static void make(GC_word hidden[3]) {
    void **uncollectable = GC_malloc_uncollectable(sizeof(void *));
    *uncollectable = GC_malloc(LARGE);
    hidden[0] = HIDDEN(*uncollectable);
    hidden[1] = HIDDEN(uncollectable);
    hidden[2] = HIDDEN(GC_malloc(LARGE));
}

int main(void) {
    GC_word hidden[3];
    GC_INIT();
    sizes();
    queries();
    reallocs();
    strings_and_alignment();
    make(hidden);
    CHECK(is_gone(hidden[2]), "garbage stays");
    CHECK(!is_gone(hidden[0]), "an uncollectable object keeps what it points to");
    GC_free(SEEN(hidden[1]));
    CHECK(is_gone(hidden[0]), "a freed uncollectable object keeps nothing");
    return 0;
}
