/* Kinds by their descriptors: what each keeps, with mark procedures that report as they like. */
#include "many.h"

static unsigned kind;
static size_t bytes, word;
static void **parents;

static void make(void) {
    for (int i = 0; i < MANY; i++) {
        void **parent = GC_malloc_kind(bytes, kind);
        void *child = GC_malloc(40);
        for (size_t w = 0; w < bytes / sizeof(void *); w++)
            CHECK(parent[w] == NULL, "a new object is zero");
        parent[word] = child;
        watch(i, child);
        parents[i] = parent;
    }
}

/* How many children stay that word `w` of an object of `n` bytes leads to. */
static int kept(unsigned k, size_t n, size_t w) {
    int count;
    kind = k, bytes = n, word = w;
    forget_all();
    elsewhere(make);
    count = living();
    GC_noop1((GC_word)parents);
    return count;
}

static unsigned index_of_first, index_of_deep;
static GC_word environment;

/* Reports its first word, and is passed what the descriptor says. */
static struct GC_ms_entry *first(GC_word *object, struct GC_ms_entry *top, struct GC_ms_entry *limit, GC_word env) {
    environment = env;
    return GC_MARK_AND_PUSH((void *)object[0], top, limit, (void **)&object[0]);
}

/* Each marker's own: bdwgc runs procedures on several threads at once. */
static __thread struct GC_ms_entry *stack, *end;

static void report(void *p) {
    stack = GC_mark_and_push(p, stack, end, NULL);
}

/* Reports the second word many times, from deep below, past the call. */
static struct GC_ms_entry *deep(GC_word *object, struct GC_ms_entry *top, struct GC_ms_entry *limit, GC_word env) {
    (void)env;
    stack = top, end = limit;
    for (int i = 0; i < 5; i++)
        report((void *)object[1]);
    return stack;
}

int main(void) {
    void **list;
    unsigned plain, none, by_length, by_bitmap, by_first, by_deep, by_object, by_table;
    GC_INIT();
    parents = GC_malloc_uncollectable(MANY * sizeof(void *));
    list = GC_new_free_list();
    CHECK(list != NULL && GC_is_heap_ptr(list), "a list of lists");
    plain = GC_new_kind(list, 0 | GC_DS_LENGTH, 1, 1);
    none = GC_new_kind(GC_new_free_list(), 0 | GC_DS_LENGTH, 0, 1);
    by_length = GC_new_kind(GC_new_free_list(), 2 * sizeof(void *) | GC_DS_LENGTH, 0, 1);
    /* Words 0 and 3. */
    by_bitmap = GC_new_kind(GC_new_free_list(), (GC_word)9 << 60 | GC_DS_BITMAP, 0, 1);
    index_of_first = GC_new_proc(first);
    index_of_deep = GC_new_proc(deep);
    by_first = GC_new_kind(GC_new_free_list(), GC_MAKE_PROC(index_of_first, 77), 0, 1);
    by_deep = GC_new_kind(GC_new_free_list(), GC_MAKE_PROC(index_of_deep, 0), 0, 1);
    by_object = GC_new_kind(GC_new_free_list(), 2 * sizeof(void *) | GC_DS_PER_OBJECT, 0, 1);
    CHECK(plain >= 4 && by_object == plain + 6, "kinds are numbered one after the other");
    CHECK(index_of_first >= 8 && index_of_deep == index_of_first + 1, "procedures too, from 8 on");
    for (size_t size = 48; size <= 6000; size = size * 5) {
        size_t last = size / sizeof(void *) - 1;
        CHECK(kept(plain, size, last) == MANY, "all words of %zu bytes", size);
        CHECK(kept(none, size, 0) <= FEW, "no words of %zu bytes", size);
        CHECK(kept(by_length, size, 1) == MANY && kept(by_length, size, 2) <= FEW, "the first two of %zu bytes", size);
        CHECK(kept(by_bitmap, size, 0) == MANY && kept(by_bitmap, size, 3) == MANY, "words 0 and 3 of %zu bytes", size);
        CHECK(kept(by_bitmap, size, 1) <= FEW && kept(by_bitmap, size, 4) <= FEW, "no other of %zu bytes", size);
        CHECK(kept(by_first, size, 0) == MANY && kept(by_first, size, 1) <= FEW, "what is reported, %zu bytes", size);
        CHECK(environment == 77, "what the descriptor says: %lu", (unsigned long)environment);
        CHECK(kept(by_deep, size, 1) == MANY && kept(by_deep, size, 0) <= FEW, "from below, %zu bytes", size);
    }
    /* The third word is the descriptor: zero until the program writes it. */
    CHECK(kept(by_object, 64, 0) <= FEW, "without a descriptor nothing is searched");
    for (int i = 0; i < MANY; i++) {
        void **parent = parents[i], *child = GC_malloc(40);
        parent[2] = (void *)(sizeof(void *) | GC_DS_LENGTH);
        parent[0] = child;
        GC_unregister_disappearing_link((void **)&watched[i]);
        watch(i, child);
    }
    CHECK(living() == MANY, "by the object's own descriptor");
    /* Likewise, but the second word of a table that the first word leads to. */
    by_table = GC_new_kind(GC_new_free_list(), ((GC_word)(-(GC_signed_word)sizeof(void *)) - GC_INDIR_PER_OBJ_BIAS) | GC_DS_PER_OBJECT, 0, 1);
    static GC_word table[2] = {0, (GC_word)3 << 61 | GC_DS_BITMAP};
    CHECK(kept(by_table, 64, 2) <= FEW, "without a table nothing is searched");
    for (int i = 0; i < MANY; i++) {
        void **parent = parents[i], *child = GC_malloc(40);
        parent[0] = table;
        parent[2] = child;
        GC_unregister_disappearing_link((void **)&watched[i]);
        watch(i, child);
    }
    CHECK(living() == MANY, "by the table");
    size_t size;
    CHECK(GC_get_kind_and_size(parents[0], &size) == (int)by_table && size >= 64, "kind and size");
    CHECK(GC_get_kind_and_size(parents, &size) == 2 && size >= MANY * sizeof(void *), "of an uncollectable one");
    return 0;
}
