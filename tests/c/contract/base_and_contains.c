/* gc_base and gc_contains: interior, foreign, NULL, stack and static addresses. */
#include <sys/mman.h>
#include "check.h"

static char in_static_data[64];

static void inside(size_t size)
{
    char *p = gc_malloc(size);
    size_t offset, room = gc_usable_size(p), step = room > 5000 ? room / 997 : 1;
    for (offset = 0; offset < room; offset += step) {
        CHECK(gc_base(p + offset) == p, "%p is byte %zu of %p, not of %p", (void *)(p + offset), offset, (void *)p,
              gc_base(p + offset));
        CHECK(gc_contains(p + offset) == 1, "byte %zu of %zu is not contained", offset, room);
    }
    CHECK(gc_base(p + room - 1) == p, "the last byte of %zu is in %p", room, gc_base(p + room - 1));
    /* Larger objects end before their slot does, so the address after them is still theirs. */
    CHECK(size >= 16384 || gc_base(p + room) != p, "the address after %zu bytes is inside", room);
}

static void outside(const char *what, const void *p)
{
    CHECK(gc_base(p) == NULL, "%s %p is in %p", what, p, gc_base(p));
    CHECK(gc_contains(p) == 0, "%s %p is contained", what, p);
    CHECK(gc_usable_size(p) == 0, "%s %p has %zu bytes", what, p, gc_usable_size(p));
}

static uintptr_t hidden[MANY];

static void drop_many(void)
{
    int i;
    for (i = 0; i < MANY; i++)
        hidden[i] = hide(gc_malloc(200));
}

int main(void)
{
    static const size_t sizes[] = {1, 16, 24, 100, 4096, 8192, 8193, 100000, 262144, 5000000};
    char on_stack[64];
    char *foreign = malloc(64);
    char *mapping = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t i, gone = 0;

    for (i = 0; i < sizeof sizes / sizeof *sizes; i++)
        inside(sizes[i]);
    outside("NULL", NULL);
    outside("a small number", (void *)(uintptr_t)opaque(42));
    outside("the largest address", (void *)(uintptr_t)opaque(SIZE_MAX));
    outside("a stack address", on_stack);
    outside("a static address", in_static_data);
    outside("a literal", "text");
    outside("a function", (void *)(uintptr_t)&main);
    outside("glibc's memory", foreign);
    outside("a mapping", mapping);
    free(foreign);

    run(drop_many);
    gc_collect();
    for (i = 0; i < MANY; i++)
        gone += !gc_contains(reveal(hidden[i]));
    CHECK(gone >= MOST(MANY), "%zu of %d reclaimed objects are still said to be there", MANY - gone, MANY);
    return 0;
}
