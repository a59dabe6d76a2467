/* Any address inside an object keeps it, tagged or not; a word across an 8-byte boundary is not seen. */
#include "check.h"

static const size_t sizes[] = {16, 48, 200, 4096, 8192, 20000, 262144, 1000000};
enum { SIZES = sizeof sizes / sizeof *sizes, EACH = 40 };

static char **first, **middle, **tagged;
static char **unaligned; /* its addresses begin at byte 4 of two words */
static gc_weak *kept[3][SIZES * EACH], *lost[SIZES * EACH];

static char *make(size_t size, gc_weak **cell)
{
    char *p = gc_malloc_atomic(size);
    CHECK(p != NULL, "size %zu: %s", size, strerror(errno));
    *cell = observe(p);
    return p;
}

static void fill(void)
{
    size_t i, n = SIZES * EACH;
    first = gc_calloc(n, sizeof *first);
    middle = gc_calloc(n, sizeof *middle);
    tagged = gc_calloc(n, sizeof *tagged);
    unaligned = gc_calloc(2 * n, sizeof *unaligned);
    for (i = 0; i < n; i++) {
        size_t size = sizes[i % SIZES];
        char *p = make(size, &lost[i]);
        first[i] = make(size, &kept[0][i]) + size - 1;
        middle[i] = make(size, &kept[1][i]) + size / 2 + 3;
        tagged[i] = make(size, &kept[2][i]) + 1 + i % 7;
        memcpy((char *)&unaligned[2 * i] + 4, &p, sizeof p);
    }
}

int main(void)
{
    size_t n = SIZES * EACH;
    run(fill);
    gc_collect();
    CHECK(cleared(kept[0], n) == 0, "the last byte lost %zu of %zu", cleared(kept[0], n), n);
    CHECK(cleared(kept[1], n) == 0, "an address in the middle lost %zu of %zu", cleared(kept[1], n), n);
    CHECK(cleared(kept[2], n) == 0, "a tagged address lost %zu of %zu", cleared(kept[2], n), n);
    CHECK(cleared(lost, n) >= MOST(n), "unaligned words keep %zu of %zu", n - cleared(lost, n), n);
    use(first);
    use(middle);
    use(tagged);
    use(unaligned);
    return 0;
}
