/* Objects with a descriptor of their own: which of their words keep anything. */
#include "many.h"

enum { WORDS = 400 };

static GC_descr descriptor;
static size_t word, words, count;
static void **parents;

static void make(void) {
    for (int i = 0; i < MANY; i++) {
        void **parent, *child = GC_malloc(40);
        if (count == 0)
            parent = GC_malloc_explicitly_typed(words * sizeof(void *), descriptor);
        else
            parent = GC_calloc_explicitly_typed(count, words * sizeof(void *), descriptor);
        CHECK(GC_size(parent) >= words * sizeof(void *), "room");
        for (size_t w = 0; w < words * (count ? count : 1); w++)
            CHECK(parent[w] == NULL, "a new object is zero");
        parent[word] = child;
        watch(i, child);
        parents[i] = parent;
    }
}

/* How many children stay that word `w` of objects of `n` words leads to. */
static int kept(GC_descr d, size_t n, size_t w) {
    descriptor = d, words = n, word = w;
    forget_all();
    elsewhere(make);
    return living();
}

/* The descriptor of a map in which every third word from `begin` to `end` may be a pointer. */
static GC_descr thirds(size_t begin, size_t end) {
    GC_word map[GC_BITMAP_SIZE(char[WORDS * sizeof(void *)])] = {0};
    for (size_t w = begin; w < end; w += 3)
        GC_set_bit(map, w);
    return GC_make_descriptor(map, end);
}

/* What kinds objects with a descriptor and arrays of them are of, and how large they are: the descriptor takes a word. */
static void look_at_kinds(void) {
    GC_descr d = thirds(1, 5), length = sizeof(void *);
    GC_word last[2] = {0, 8};
    int typed = GC_get_kind_and_size(GC_malloc_explicitly_typed(40, d), NULL);
    int array = GC_get_kind_and_size(GC_calloc_explicitly_typed(9, 40, d), NULL);
    CHECK(typed == 4 && array == 5, "kinds %d and %d", typed, array);
    CHECK(GC_get_kind_and_size(GC_malloc_explicitly_typed(600, GC_make_descriptor(last, 68)), NULL) == typed, "a long map");
    CHECK(GC_get_kind_and_size(GC_malloc_explicitly_typed(40, GC_MAKE_PROC(63, 0)), NULL) == typed, "a procedure");
    CHECK(GC_get_kind_and_size(GC_malloc_explicitly_typed_ignore_off_page(9000, d), NULL) == typed, "a large one");
    CHECK(GC_get_kind_and_size(GC_calloc_explicitly_typed(1, 40, d), NULL) == typed, "an array of one");
    CHECK(GC_get_kind_and_size(GC_calloc_explicitly_typed(9, 8, length), NULL) == typed, "an array of pointers");
    CHECK(GC_get_kind_and_size(GC_calloc_explicitly_typed(9, 8, 0), NULL) == typed, "an array of bytes");
    CHECK(GC_new_kind(GC_new_free_list(), 0, 0, 1) == 6, "the next is the program's");
    for (size_t bytes = 8; bytes <= 104; bytes += 16)
        CHECK(GC_size(GC_malloc_explicitly_typed(bytes, d)) == bytes + 8, "%zu bytes and a word", bytes);
}

/* An object whose size has changed holds whatever the program writes, to its last byte. */
static void resize(void **object, size_t bytes) {
    object = GC_realloc(object, bytes);
    memset(object, 0x41, bytes);
    GC_gcollect();
    for (size_t i = 0; i < bytes; i++)
        CHECK(((char *)object)[i] == 0x41, "byte %zu of %zu", i, bytes);
}

static void resize_each_sort(void) {
    static const size_t sizes[] = {16, 40, 72, 96, 160, 168, 500, 504, 4096, 70000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        resize(GC_malloc_explicitly_typed(160, thirds(1, 20)), sizes[i]);
        resize(GC_malloc_explicitly_typed(160, 80 * sizeof(void *)), sizes[i]);
        resize(GC_calloc_explicitly_typed(7, 3 * sizeof(void *), thirds(1, 3)), sizes[i]);
    }
}

int main(void) {
    static const size_t ends[] = {5, 61, 62, 63, 64, 65, 130, 320};
    GC_word all[2] = {~(GC_word)0, ~(GC_word)0};
    GC_INIT();
    parents = GC_malloc_uncollectable(MANY * sizeof(void *));
    CHECK(thirds(0, 0) == 0, "no pointers");
    CHECK(GC_make_descriptor(all, 10) == 10 * sizeof(void *), "the first ten words: a length");
    CHECK(kept(GC_make_descriptor(all, 2), 4, 1) == MANY, "one of the first two");
    CHECK(kept(GC_make_descriptor(all, 2), 4, 2) <= FEW, "not one of the first two");
    CHECK(kept(GC_make_descriptor(all, 128), 130, 127) == MANY, "one of the first 128");
    CHECK(kept(GC_make_descriptor(all, 128), 130, 128) <= FEW, "not one of the first 128");
    CHECK(kept(thirds(0, 0), 4, 0) <= FEW, "none");
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t end = ends[i], last = 1 + (end - 2) / 3 * 3;
        GC_descr d = thirds(1, end);
        CHECK(kept(d, end, last) == MANY, "word %zu of %zu", last, end);
        CHECK(kept(d, end, 1) == MANY, "word 1 of %zu", end);
        CHECK(kept(d, end, 2) <= FEW && kept(d, end, 0) <= FEW && kept(d, end, last - 1) <= FEW, "no other of %zu", end);
    }
    look_at_kinds();
    resize_each_sort();
    /* Arrays. */
    count = 7;
    CHECK(kept(thirds(1, 3), 3, 6 * 3 + 1) == MANY, "in the last element");
    CHECK(kept(thirds(1, 3), 3, 6 * 3 + 2) <= FEW, "beside it");
    CHECK(kept(thirds(1, 100), 100, 5 * 100 + 97) == MANY, "in a large element");
    CHECK(kept(thirds(1, 100), 100, 5 * 100 + 98) <= FEW, "beside it");
    CHECK(kept(GC_make_descriptor(all, 2), 3, 6 * 3 + 1) == MANY, "in an element by length");
    CHECK(kept(GC_make_descriptor(all, 3), 3, 6 * 3 + 2) == MANY, "in an element that is all pointers");
    CHECK(kept(0, 3, 6 * 3 + 2) <= FEW, "in one without any");
    count = 1;
    CHECK(kept(thirds(1, 3), 3, 1) == MANY && kept(thirds(1, 3), 3, 2) <= FEW, "in the only element");
    count = 1001;
    {
        void **array = GC_calloc_explicitly_typed(count, 3 * sizeof(void *), thirds(1, 3));
        for (size_t e = 0; e < count; e++) {
            array[3 * e + 1] = GC_malloc(20);
            *(size_t *)array[3 * e + 1] = e;
        }
        GC_gcollect();
        for (size_t e = 0; e < count; e++) {
            void *fresh = GC_malloc(20);
            CHECK(*(size_t *)array[3 * e + 1] == e && fresh != array[3 * e + 1], "element %zu", e);
        }
    }
    return 0;
}
