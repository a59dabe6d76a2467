/* One past the end keeps nothing in the heap, and keeps the object in announced ranges, static data, uncollectable
 * objects, thread-local storage and on the stack. A typed object's end lies within its slot, before the layout: its
 * neighbour's address in a root keeps the neighbour alone. */
#include "check.h"

static const size_t sizes[] = {16, 48, 128, 4096, 8192};
enum { SIZES = sizeof sizes / sizeof *sizes };

static char **in_heap;                  /* a scanned object */
static char *volatile in_static_data[MANY];
static __thread char *volatile in_tls[SIZES];
static char **in_range;                 /* a pointer-free object, announced */
static uintptr_t uncollectable;

static gc_weak *lost[MANY], *by_static[MANY], *by_tls[SIZES], *by_range[MANY], *by_uncollectable[MANY];

/* The end of a fresh object. Only every other slot of a block is taken, so an end is never the start of another object
 * of ours: nothing is kept by its neighbour's end. */
static char *end_of_new(size_t i, gc_weak **cell)
{
    size_t size = sizes[i % SIZES];
    char *p;
    do {
        p = gc_malloc(size);
        CHECK(p != NULL && gc_usable_size(p) == size, "gc_malloc(%zu) has %zu bytes", size, gc_usable_size(p));
    } while ((uintptr_t)p % 65536 / size % 2 != 0);
    *cell = observe(p);
    return p + size;
}

static void fill_roots(void)
{
    size_t i;
    char **roots = gc_malloc_uncollectable(MANY * sizeof *roots);
    in_range = gc_malloc_atomic(MANY * sizeof *in_range);
    memset(in_range, 0, MANY * sizeof *in_range);
    CHECK(gc_root_add(in_range, in_range + MANY) == 0, "no root range");
    for (i = 0; i < MANY; i++) {
        in_static_data[i] = end_of_new(i, &by_static[i]);
        in_range[i] = end_of_new(i, &by_range[i]);
        roots[i] = end_of_new(i, &by_uncollectable[i]);
    }
    for (i = 0; i < SIZES; i++)
        in_tls[i] = end_of_new(i, &by_tls[i]);
    uncollectable = hide(roots);
}

enum { TYPED_BYTES = 40, TYPED_SLOT = 48 };
static char *volatile typed_ends[MANY], *volatile typed_neighbours[MANY];
static gc_weak *typed_kept[MANY], *typed_lost[MANY];

/* A typed object in every other slot of a block, as above. */
static char *new_typed(gc_layout layout, gc_weak **cell)
{
    char *p;
    do {
        p = gc_malloc_typed(TYPED_BYTES, layout);
        CHECK(gc_usable_size(p) == TYPED_BYTES, "a typed object has %zu bytes", gc_usable_size(p));
    } while ((uintptr_t)p % 65536 / TYPED_SLOT % 2 != 0);
    *cell = observe(p);
    return p;
}

/* A root has the end of one object, another root the slot behind another. */
static void fill_typed(void)
{
    const unsigned long words = 1;
    gc_layout layout = gc_layout_from_bitmap(&words, 1);
    size_t i;
    for (i = 0; i < MANY; i++) {
        typed_ends[i] = new_typed(layout, &typed_kept[i]) + TYPED_BYTES;
        typed_neighbours[i] = new_typed(layout, &typed_lost[i]) + TYPED_SLOT;
    }
}

static void fill_heap(void)
{
    size_t i;
    in_heap = gc_malloc(MANY * sizeof *in_heap);
    for (i = 0; i < MANY; i++)
        in_heap[i] = end_of_new(i, &lost[i]);
}

static NOINLINE void on_the_stack(void)
{
    char *volatile ends[SIZES];
    gc_weak *cells[SIZES];
    size_t i;
    for (i = 0; i < SIZES; i++)
        ends[i] = end_of_new(i, &cells[i]);
    clear_stack(16);
    gc_collect();
    CHECK(cleared(cells, SIZES) == 0, "the stack lost %zu of %d", cleared(cells, SIZES), (int)SIZES);
    for (i = 0; i < SIZES; i++)
        use(ends[i]);
}

int main(void)
{
    run(fill_roots);
    gc_collect();
    CHECK(cleared(by_static, MANY) == 0, "static data lost %zu", cleared(by_static, MANY));
    CHECK(cleared(by_tls, SIZES) == 0, "thread-local storage lost %zu", cleared(by_tls, SIZES));
    CHECK(cleared(by_range, MANY) == 0, "the announced range lost %zu", cleared(by_range, MANY));
    CHECK(cleared(by_uncollectable, MANY) == 0, "the uncollectable object lost %zu", cleared(by_uncollectable, MANY));
    on_the_stack();

    run(fill_typed);
    gc_collect();
    CHECK(cleared(typed_kept, MANY) == 0, "static data lost %zu typed objects", cleared(typed_kept, MANY));
    CHECK(cleared(typed_lost, MANY) >= MOST(MANY), "neighbours keep %zu typed objects", MANY - cleared(typed_lost, MANY));

    run(fill_heap);
    gc_collect();
    CHECK(cleared(lost, MANY) >= MOST(MANY), "the heap keeps %zu of %d", MANY - cleared(lost, MANY), MANY);
    use(in_heap);
    gc_free(reveal(uncollectable));
    return 0;
}
