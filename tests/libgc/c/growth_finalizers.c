/* A heap where objects with finalizers die is collected before it grows by all that others may hand out: those objects stay
 * for one collection more, with what they reach. */
#include "check.h"

enum { PARTS = 64, PART = 256 << 10, FINALIZED = 60000, SIZE = 1000 };
static void *volatile parts[PARTS];
static void *volatile garbage;

static void finalize(void *object, void *data) {
    (void)object, (void)data;
}

static void leave(void) {
    garbage = GC_MALLOC_ATOMIC(SIZE);
    GC_REGISTER_FINALIZER_NO_ORDER(garbage, finalize, NULL, NULL, NULL);
}

int main(void) {
    size_t before, largest, size;
    GC_INIT();
    for (int i = 0; i < PARTS; i++) {
        parts[i] = GC_MALLOC(PART);
        memset(parts[i], 1, PART);
    }
    for (int i = 0; i < 1000; i++)
        leave();
    GC_gcollect();
    before = largest = GC_get_heap_size();
    for (int i = 0; i < FINALIZED; i++) {
        leave();
        if ((size = GC_get_heap_size()) > largest)
            largest = size;
    }
    CHECK(largest <= before + PARTS * PART * 3 / 2, "the heap grew from %zu to %zu bytes", before, largest);
    return 0;
}
