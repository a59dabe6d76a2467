/* Marks set by hand keep an object and nothing that it leads to; and what is reachable can be enumerated. */
#include "many.h"

static GC_push_other_roots_proc before;
/* In memory that is no root. */
static void **marked;
static GC_word children[MANY];
static int was_marked;

static void push(void) {
    for (int i = 0; i < MANY; i++)
        if (marked[i] != NULL) {
            GC_set_mark_bit(marked[i]);
            was_marked += GC_is_marked(marked[i]) != 0;
        }
    (*before)();
}

static void make(void) {
    for (int i = 0; i < MANY; i++) {
        void **object = GC_malloc(40), *child = GC_malloc(56);
        object[0] = child;
        marked[i] = object;
        children[i] = HIDDEN(child);
        CHECK(GC_general_register_disappearing_link((void **)&children[i], child) == GC_SUCCESS, "a link");
        watch(i, object);
    }
}

static void *volatile kept[MANY];

static void make_kept(void) {
    for (int i = 0; i < MANY; i++) {
        char *object = GC_malloc_atomic(1000);
        strcpy(object, "reachable");
        kept[i] = i < MANY / 2 ? object : NULL;
    }
}

static int found, of_ours;
static size_t found_bytes;

static void GC_CALLBACK visit(void *object, size_t bytes, void *data) {
    CHECK(data == &found, "the data");
    CHECK(GC_base(object) == object && GC_size(object) == bytes, "%p of %zu bytes", object, bytes);
    found++;
    found_bytes += bytes;
    of_ours += bytes >= 1000 && bytes < 1500 && memcmp(object, "reachable", 10) == 0;
}

static void *GC_CALLBACK enumerate(void *unused) {
    (void)unused;
    GC_enumerate_reachable_objects_inner(visit, &found);
    return &found;
}

int main(void) {
    int count = 0;
    GC_INIT();
    marked = calloc(MANY, sizeof(void *));
    before = GC_get_push_other_roots();
    GC_set_push_other_roots(push);
    elsewhere(make);
    CHECK(living() == MANY, "marked by hand");
    for (int i = 0; i < MANY; i++)
        count += children[i] != 0;
    CHECK(count <= FEW, "what they lead to: %d", count);
    CHECK(was_marked >= MANY, "seen to be marked: %d", was_marked);
    memset(marked, 0, MANY * sizeof(void *));
    CHECK(living() <= FEW, "no longer marked");
    forget_all();
    elsewhere(make_kept);
    GC_gcollect();
    CHECK(GC_call_with_alloc_lock(enumerate, NULL) == &found, "the result");
    CHECK(of_ours >= MANY / 2 && of_ours <= MANY / 2 + FEW, "found %d of %d, %d in all, %zu bytes", of_ours, MANY / 2, found, found_bytes);
    CHECK(found >= of_ours && found_bytes >= 1000u * MANY / 2 && found_bytes <= GC_get_heap_size(), "%d of %zu bytes", found,
          found_bytes);
    return 0;
}
