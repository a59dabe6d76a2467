/* A size that a program has used much, and hardly uses any more, does not keep the pages that it had: they are the
 * system's after some collections. */
#include "check.h"
#include <unistd.h>

enum { SIZES = 40, PAGES = 16, COLLECTIONS = 24 };
static void *volatile kept[SIZES];

static size_t resident(void) {
    unsigned long all, resident;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file && fscanf(file, "%lu %lu", &all, &resident) == 2, "read");
    fclose(file);
    return resident;
}

/* Fills so many pages with objects of each size, of which one stays. */
static void fill(void) {
    for (int i = 0; i < SIZES; i++) {
        size_t bytes = 40 + i * 24, count = PAGES * 4096 / bytes;
        for (size_t n = 0; n < count; n++) {
            char *object = GC_MALLOC_ATOMIC(bytes);
            memset(object, 1, bytes);
            if (n == 0)
                kept[i] = object;
        }
    }
}

int main(void) {
    size_t full, left;
    GC_INIT();
    GC_disable();
    fill();
    GC_enable();
    full = resident();
    for (int i = 0; i < COLLECTIONS; i++) {
        wipe_stack();
        GC_gcollect();
    }
    left = resident();
    for (int i = 0; i < SIZES; i++)
        for (size_t n = 0; n < 40 + (size_t)i * 24; n++)
            CHECK(((volatile char *)kept[i])[n] == 1, "byte %zu of object %d", n, i);
    CHECK(left + SIZES * PAGES / 2 <= full, "%zu pages, %zu before", left, full);
    fill();
    for (int i = 0; i < SIZES; i++)
        CHECK(((volatile char *)kept[i])[0] == 1, "of object %d", i);
    return 0;
}
