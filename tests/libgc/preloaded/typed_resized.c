/* What a descriptor says of an object is said of it when its size has changed. bdwgc's loses it. */
#include "../c/many.h"
#include <gc_typed.h>

/* A length is no layout of the engine's when it is of so many words. */
enum { COUNT = 12, WORDS = 3, LENGTH = 80 * sizeof(void *) };

static GC_descr element;
static size_t count_before, count, word;
static void **parents;

static void make(void) {
    for (int i = 0; i < MANY; i++) {
        void *child = GC_malloc(40), **parent;
        if (element == LENGTH)
            parent = GC_malloc_explicitly_typed(count_before * WORDS * sizeof(void *), element);
        else
            parent = GC_calloc_explicitly_typed(count_before, WORDS * sizeof(void *), element);
        parent = GC_realloc(parent, count * WORDS * sizeof(void *));
        for (size_t w = 0; w < count * WORDS; w++)
            CHECK(parent[w] == NULL, "word %zu is not zero", w);
        parent[word] = child;
        watch(i, child);
        parents[i] = parent;
    }
}

/* How many children stay that word `w` of arrays leads to whose `before` elements have become `after`. */
static int kept(size_t before, size_t after, size_t w) {
    count_before = before, count = after, word = w;
    forget_all();
    elsewhere(make);
    return living();
}

int main(void) {
    GC_word map = 2;
    GC_INIT();
    parents = GC_malloc_uncollectable(MANY * sizeof(void *));
    element = GC_make_descriptor(&map, WORDS);
    for (size_t before = 2; before < COUNT; before += 3) {
        for (size_t after = 2; after < 3 * COUNT; after += 4) {
            CHECK(kept(before, after, (after - 1) * WORDS + 1) == MANY, "%zu elements of %zu", after, before);
            CHECK(kept(before, after, (after - 1) * WORDS + 2) <= FEW, "%zu elements of %zu: beside", after, before);
        }
    }
    element = LENGTH;
    CHECK(kept(40, 100, 79) == MANY && kept(40, 100, 80) <= FEW, "the first 80 words of more");
    CHECK(kept(100, 30, 79) == MANY && kept(100, 30, 80) <= FEW, "the first 80 words of fewer");
    return 0;
}
