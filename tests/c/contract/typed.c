/* A typed object is searched where its layout says, and nowhere else. */
#include "check.h"

enum { WORDS = 150 };

/* Words 0, 3, 64 and 130 may hold pointers; those from 131 on are beyond the bitmap. */
static const unsigned long bitmap[] = {1ul << 0 | 1ul << 3, 1ul << 0, 1ul << 2};
static const size_t inside[] = {0, 3, 64, 130};
static const size_t outside[] = {1, 2, 4, 63, 65, 128, 129, 131, 149};
enum { INSIDE = sizeof inside / sizeof *inside, OUTSIDE = sizeof outside / sizeof *outside };

static gc_layout layout;
static void **objects[MANY];
static gc_weak *kept[MANY][INSIDE], *lost[MANY][OUTSIDE];

static gc_weak *put(void **object, size_t word, size_t number)
{
    size_t *child = gc_malloc(16);
    *child = number;
    object[word] = child;
    return observe(child);
}

static void fill(void)
{
    size_t i, j;
    for (i = 0; i < MANY; i++) {
        objects[i] = gc_malloc_typed(WORDS * sizeof(void *), layout);
        CHECK(objects[i] != NULL, "object %zu: %s", i, strerror(errno));
        for (j = 0; j < INSIDE; j++)
            kept[i][j] = put(objects[i], inside[j], i * 10 + j);
        for (j = 0; j < OUTSIDE; j++)
            lost[i][j] = put(objects[i], outside[j], 0);
    }
}

static void check(const char *when)
{
    size_t i, j;
    for (i = 0; i < MANY; i++) {
        for (j = 0; j < INSIDE; j++) {
            CHECK(gc_weak_get(kept[i][j]) != NULL, "%s: word %zu of object %zu kept nothing", when, inside[j], i);
            CHECK(*(size_t *)objects[i][inside[j]] == i * 10 + j, "%s: object %zu, word %zu", when, i, inside[j]);
        }
    }
    CHECK(cleared(lost[0], MANY * OUTSIDE) >= MOST(MANY * OUTSIDE),
          "%s: words outside the layout keep %zu objects of %d", when, MANY * OUTSIDE - cleared(lost[0], MANY * OUTSIDE),
          MANY * OUTSIDE);
}

static void grow(void)
{
    size_t i;
    for (i = 0; i < MANY; i++) {
        objects[i] = gc_realloc(objects[i], 2 * WORDS * sizeof(void *));
        CHECK(objects[i] != NULL, "gc_realloc of object %zu: %s", i, strerror(errno));
        lost[i][0] = put(objects[i], 5, 0);
        lost[i][1] = put(objects[i], 2 * WORDS - 1, 0);
    }
}

/* Of many units, where they grow and shrink. */
static void *large;
static gc_weak *kept_by_large[INSIDE];

static void make_large(void)
{
    size_t j;
    large = gc_malloc_typed(600000, layout);
    CHECK(large != NULL, "a large object: %s", strerror(errno));
    for (j = 0; j < INSIDE; j++)
        kept_by_large[j] = put(large, inside[j], j);
}

static void resize_large(void)
{
    static const size_t sizes[] = {1 << 20, 3 << 20, 3 << 19, 700000, 300000};
    size_t i, j;
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        large = gc_realloc(large, sizes[i]);
        CHECK(large != NULL, "gc_realloc to %zu: %s", sizes[i], strerror(errno));
        /* The last word is the program's. */
        memset((char *)large + sizes[i] - 8, 0xff, 8);
        clear_stack(16);
        gc_collect();
        for (j = 0; j < INSIDE; j++) {
            CHECK(gc_weak_get(kept_by_large[j]) != NULL, "%zu bytes: word %zu kept nothing", sizes[i], inside[j]);
            CHECK(*((size_t **)large)[inside[j]] == j, "%zu bytes: word %zu", sizes[i], inside[j]);
        }
    }
}

int main(void)
{
    layout = gc_layout_from_bitmap(bitmap, 131);
    CHECK(layout != 0, "no layout: %s", strerror(errno));
    run(fill);
    gc_collect();
    check("after the first collection");
    run(grow);
    gc_collect();
    check("after gc_realloc");
    run(make_large);
    resize_large();

    errno = 0;
    CHECK(gc_layout_from_bitmap(NULL, 3) == 0 && errno == EINVAL, "a NULL bitmap: errno %d", errno);
    CHECK_REFUSED(EINVAL, gc_malloc_typed(64, 0));
    return 0;
}
