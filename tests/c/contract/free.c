/* gc_free: NULL is nothing, errno stays, every kind is accepted, weak cells are cleared, the memory comes back. */
#include "check.h"

enum { HELD = 100000 };

static void *held[HELD];
static int finalized;

static void finalizer(void *object, void *data)
{
    (void)object;
    (void)data;
    finalized++;
}

static void every_kind(size_t size)
{
    const unsigned long bits = 1;
    void *objects[6];
    size_t i;
    objects[0] = gc_malloc(size);
    objects[1] = gc_malloc_atomic(size);
    objects[2] = gc_malloc_uncollectable(size);
    objects[3] = gc_calloc(1, size);
    objects[4] = gc_memalign(512, size);
    objects[5] = gc_malloc_typed(size, gc_layout_from_bitmap(&bits, 1));
    for (i = 0; i < 6; i++) {
        errno = 4711;
        gc_free(objects[i]);
        CHECK(errno == 4711, "way %zu, size %zu: errno became %d", i, size, errno);
    }
}

static void memory_comes_back(void)
{
    uint64_t before;
    int i;
    for (i = 0; i < 1000; i++)
        gc_free(gc_malloc(100000));
    before = stats().bytes_heap;
    gc_disable();
    for (i = 0; i < 1000000; i++)
        gc_free(gc_malloc(48));
    for (i = 0; i < 10000; i++)
        gc_free(gc_malloc(100000));
    gc_enable();
    CHECK(stats().bytes_heap <= before + (4 << 20), "a loop of gc_malloc and gc_free took %lu bytes more",
          (unsigned long)(stats().bytes_heap - before));
}

int main(void)
{
    static const size_t sizes[] = {1, 16, 100, 4096, 10000, 500000};
    gc_weak *cell;
    void *p;
    size_t i;
    uint64_t freed;

    gc_free(NULL);
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++)
        every_kind(sizes[i]);

    p = gc_malloc(64);
    cell = observe(p);
    CHECK(gc_finalizer_set(p, finalizer, NULL, GC_FINALIZER_UNORDERED) == 0, "no finalizer");
    gc_free(p);
    CHECK(gc_weak_get(cell) == NULL, "the weak cell of a freed object still holds %p", gc_weak_get(cell));
    gc_collect();
    CHECK(finalized == 0, "the finalizer of a freed object ran");

    freed = stats().bytes_freed_total;
    for (i = 0; i < HELD; i++)
        held[i] = gc_malloc(64);
    for (i = 0; i < HELD; i++)
        gc_free(held[i]);
    CHECK(stats().bytes_freed_total >= freed + HELD * 63, "%lu bytes freed by hand, of %d",
          (unsigned long)(stats().bytes_freed_total - freed), HELD * 64);

    memory_comes_back();
    return 0;
}
