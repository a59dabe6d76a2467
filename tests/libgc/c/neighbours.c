/* Objects side by side, without a byte between them: who holds one keeps nothing of the one that ends where it begins. */
#include "many.h"

enum { BYTES = 32 };

static void *held[MANY], *spare;

/* Holds each second object of the heap, by static data, and watches those before them. Until there are enough of both, the
 * others are kept, for their places would come back. */
static void make(void) {
    int holding = 0, watching = 0;
    while (holding < MANY || watching < MANY) {
        void *object;
        GC_generic_malloc_many(BYTES, GC_I_NORMAL, &object);
        CHECK(object != NULL, "a chain of objects");
        for (void *next; object != NULL; object = next) {
            next = GC_NEXT(object);
            GC_NEXT(object) = NULL;
            if ((GC_word)object & BYTES) {
                if (holding < MANY)
                    held[holding++] = object;
            } else if (watching < MANY)
                watch(watching++, object);
            else {
                GC_NEXT(object) = spare;
                spare = object;
            }
        }
    }
    spare = NULL;
}

int main(void) {
    GC_INIT();
    elsewhere(make);
    int left = living();
    CHECK(left <= FEW, "%d of %d left", left, MANY);
    for (int i = 0; i < MANY; i++)
        CHECK(GC_is_heap_ptr(held[i]) && GC_base(held[i]) == held[i], "object %d is there", i);
    return 0;
}
