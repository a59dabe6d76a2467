// Allocation without a call, from lists of the program's own; and GC_INIT() with what the program asks for.
#define GC_INITIAL_HEAP_SIZE 33000000
#define GC_FREE_SPACE_DIVISOR 5
#include "../c/many.h"
#include <gc_inline.h>

struct Pair {
    Pair *first;
    void *second;
};

static void *lists[GC_TINY_FREELISTS], *plain_lists[GC_TINY_FREELISTS], *late_lists[GC_TINY_FREELISTS];
static int direct;

static void *by_call(size_t bytes, int kind) {
    direct++;
    return GC_malloc_kind(bytes, kind);
}

int main() {
    GC_INIT();
    CHECK(GC_get_free_space_divisor() == 5, "divisor %lu", (unsigned long)GC_get_free_space_divisor());

    // A list of pairs, and garbage of every size beside it.
    Pair *all = 0;
    for (GC_word i = 0; i < 50000; i++) {
        void *pair;
        GC_CONS(pair, all, i << 1, lists);
        all = static_cast<Pair *>(pair);
        size_t words = i % 60;
        void *room;
        GC_MALLOC_WORDS(room, words, lists);
        GC_word *object = static_cast<GC_word *>(room);
        for (size_t w = 0; w < words; w++) {
            CHECK(object[w] == 0, "word %lu of %lu is not zero", (unsigned long)w, (unsigned long)words);
            object[w] = i;
        }
        CHECK(GC_size(object) >= words * sizeof(GC_word), "an object is too small");
    }
    GC_gcollect();
    GC_word expected = 50000;
    for (Pair *p = all; p != 0; p = p->first) {
        expected--;
        CHECK((GC_word)p->second == expected << 1, "a pair holds %lu instead of %lu", (unsigned long)p->second,
              (unsigned long)(expected << 1));
    }
    CHECK(expected == 0, "the list ends %lu too early", (unsigned long)expected);

    // The collector does not follow lists of pointer-free objects.
    GC_disable();
    for (int i = 0; i < 1000; i++) {
        void *object;
        GC_MALLOC_ATOMIC_WORDS(object, 6, plain_lists);
        CHECK(GC_get_kind_and_size(object, 0) == GC_I_PTRFREE, "a pointer-free object");
        memset(object, 255, 48);
    }
    GC_enable();

    // A list that counts: the first objects come by a call, 1 + 3 + 3 + ... up to 30, the others do not.
    late_lists[2] = (void *)1;
    for (int i = 0; i < 100; i++) {
        void *object;
        GC_FAST_MALLOC_GRANS(object, 2, late_lists, 30, GC_I_NORMAL, by_call(2 * GC_GRANULE_BYTES, GC_I_NORMAL),
                             *(void **)object = 0);
        CHECK(object != 0 && GC_base(object) == object, "an object");
    }
    CHECK(direct == 10, "%d objects by a call instead of 10", direct);

    // Too big for a list.
    void *big;
    GC_FAST_MALLOC_GRANS(big, GC_TINY_FREELISTS, late_lists, 0, GC_I_NORMAL,
                         by_call(GC_TINY_FREELISTS * GC_GRANULE_BYTES, GC_I_NORMAL), (void)0);
    CHECK(direct == 11 && GC_size(big) >= GC_TINY_FREELISTS * GC_GRANULE_BYTES, "a big object");
    return 0;
}
