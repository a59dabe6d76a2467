/* Sizes are exact, objects aligned for every type, distinct, and wholly usable. */
#include "check.h"

static void exact(size_t size, size_t expected)
{
    void *p = gc_malloc(size);
    CHECK(p != NULL, "size %zu", size);
    CHECK(gc_usable_size(p) == expected, "gc_malloc(%zu) has %zu bytes, expected %zu", size, gc_usable_size(p),
          expected);
}

static void usable(size_t size)
{
    unsigned char *p = gc_malloc(size), *q = gc_malloc_atomic(size);
    size_t room = gc_usable_size(p);
    CHECK(p != NULL && q != NULL && p != q, "size %zu: %p and %p", size, (void *)p, (void *)q);
    CHECK((uintptr_t)p % 16 == 0 && (uintptr_t)q % 16 == 0, "size %zu: %p and %p", size, (void *)p, (void *)q);
    CHECK(room >= size && gc_usable_size(q) >= size, "size %zu: %zu and %zu", size, room, gc_usable_size(q));
    CHECK(size <= 128 || size > 8192 || room <= size + size / 4 + 16, "size %zu has %zu bytes", size, room);
    memset(p, 0xa5, room);
    memset(q, 0x5a, gc_usable_size(q));
    CHECK(p[0] == 0xa5 && p[room - 1] == 0xa5, "size %zu: the neighbour wrote into it", size);
}

int main(void)
{
    size_t size;
    void *empty = gc_malloc(0), *other = gc_malloc(0);

    for (size = 16; size <= 128; size += 16)
        exact(size, size);
    for (size = 256; size <= 4096; size *= 2)
        exact(size, size);
    exact(1, 16);
    exact(17, 32);
    for (size = 0; size <= 3000; size++)
        usable(size);
    for (size = 4095; size <= (8 << 20); size = size * 3 / 2)
        usable(size);
    for (size = 1 << 12; size <= (4 << 20); size *= 2) {
        usable(size - 1);
        usable(size);
        usable(size + 1);
    }

    CHECK(empty != NULL && other != NULL && empty != other, "size 0 gave %p and %p", empty, other);
    CHECK(gc_usable_size(empty) >= 1, "size 0 has %zu bytes", gc_usable_size(empty));
    CHECK(gc_usable_size(NULL) == 0, "NULL has %zu bytes", gc_usable_size(NULL));
    return 0;
}
