/* gc_realloc keeps the contents and the kind; NULL allocates, size 0 frees. */
#include "check.h"

static void contents(size_t from, size_t to)
{
    unsigned char *p = gc_malloc(from), *q;
    size_t i, room = gc_usable_size(p);
    for (i = 0; i < from; i++)
        p[i] = (unsigned char)(i * 7 + 1);
    q = gc_realloc(p, to);
    CHECK(q != NULL, "%zu to %zu: %s", from, to, strerror(errno));
    CHECK(gc_usable_size(q) >= to, "%zu to %zu: %zu bytes", from, to, gc_usable_size(q));
    CHECK(gc_base(q) == q, "%zu to %zu: %p starts at %p", from, to, (void *)q, gc_base(q));
    for (i = 0; i < from && i < to; i++)
        CHECK(q[i] == (unsigned char)(i * 7 + 1), "%zu to %zu: byte %zu is %#x", from, to, i, q[i]);
    for (i = room; i < gc_usable_size(q); i++)
        CHECK(q[i] == 0, "%zu to %zu: the new byte %zu is %#x, not zero", from, to, i, q[i]);
}

static gc_weak *children[MANY];
static void **parents[MANY];

static void fill_pointer_free(void)
{
    int i;
    for (i = 0; i < MANY; i++) {
        void *child = gc_malloc(32);
        parents[i] = gc_realloc(gc_malloc_atomic(16), 500);
        parents[i][0] = child;
        children[i] = observe(child);
    }
}

static uintptr_t hidden[MANY];

static void fill_uncollectable(void)
{
    int i;
    for (i = 0; i < MANY; i++) {
        void **root = gc_malloc_uncollectable(16);
        root[0] = gc_strdup("kept");
        root = gc_realloc(root, 500);
        hidden[i] = hide(root);
    }
}

int main(void)
{
    static const size_t sizes[] = {1, 16, 17, 48, 200, 4096, 5000, 8192, 8193, 70000, 262144, 262145, 1000000, 3000000};
    size_t i, j;
    void *p;

    for (i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (j = 0; j < sizeof sizes / sizeof *sizes; j++)
            contents(sizes[i], sizes[j]);

    p = gc_realloc(NULL, 40);
    CHECK(p != NULL && gc_usable_size(p) >= 40, "gc_realloc(NULL, 40) gave %p", p);
    CHECK(memcmp(p, (char[40]){0}, 40) == 0, "gc_realloc(NULL, 40) is not zeroed");
    errno = 77;
    CHECK(gc_realloc(p, 0) == NULL && errno == 77, "gc_realloc(p, 0) gave something, or errno %d", errno);

    run(fill_pointer_free);
    gc_collect();
    CHECK(cleared(children, MANY) >= MOST(MANY), "pointer-free objects keep %zu children after gc_realloc",
          MANY - cleared(children, MANY));
    CHECK(gc_usable_size(parents[0]) >= 500, "%zu bytes", gc_usable_size(parents[0]));

    run(fill_uncollectable);
    gc_collect();
    for (i = 0; i < MANY; i++) {
        void **root = reveal(hidden[i]);
        CHECK(gc_base(root) == root && strcmp(root[0], "kept") == 0, "uncollectable object %zu died in gc_realloc", i);
        gc_free(root);
    }
    return 0;
}
