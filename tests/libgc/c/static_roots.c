/* What of static data is searched: all of it, but for what is excluded, what belongs to a segment that the program says is
 * none, and all when there is to be none. Ranges by request come and go beside that. */
#include "many.h"

static void *in_static_data[MANY];
static void *excluded[MANY];
static void **place;

static void make(void) {
    for (int i = 0; i < MANY; i++) {
        void *object = GC_malloc(40);
        watch(i, object);
        place[i] = object;
    }
}

static void expect(const char *what, void **table, int are_kept) {
    place = table;
    elsewhere(make);
    int count = living();
    CHECK(are_kept ? count == MANY : count <= FEW, "%s: %d of %d", what, count, MANY);
    memset(table, 0, MANY * sizeof *table);
    forget_all();
}

static int asked, accepts;

static int is_searched(const char *name, void *segment, size_t bytes) {
    char *start = segment;
    CHECK(name != NULL && bytes > 0, "a segment of a library");
    if ((char *)in_static_data < start || (char *)in_static_data >= start + bytes)
        return 1;
    CHECK(*name == 0, "the program itself, not %s", name);
    asked++;
    return accepts;
}

static void by_request(void **elsewhere_in_memory) {
    expect("memory of malloc's", elsewhere_in_memory, 0);
    GC_add_roots(elsewhere_in_memory, elsewhere_in_memory + MANY);
    expect("a range by request", elsewhere_in_memory, 1);
    GC_exclude_static_roots(elsewhere_in_memory, elsewhere_in_memory + MANY);
    expect("a range by request, excluded", elsewhere_in_memory, 0);
    GC_clear_roots();
    expect("a range no more", elsewhere_in_memory, 0);
}

int main(void) {
    void **elsewhere_in_memory = calloc(MANY, sizeof *elsewhere_in_memory);
    GC_INIT();
    expect("static data", in_static_data, 1);
    expect("more of it", excluded, 1);
    by_request(elsewhere_in_memory);
    expect("static data, after GC_clear_roots", in_static_data, 1);
    GC_remove_roots(in_static_data, in_static_data + MANY);
    expect("static data, after GC_remove_roots", in_static_data, 1);
    /* In two parts. */
    GC_exclude_static_roots(excluded + MANY / 2, excluded + MANY);
    GC_exclude_static_roots(excluded, excluded + MANY / 2);
    expect("excluded", excluded, 0);
    expect("beside what is excluded", in_static_data, 1);
    GC_register_has_static_roots_callback(is_searched);
    accepts = 0;
    expect("refused", in_static_data, 0);
    accepts = 1;
    expect("accepted", in_static_data, 1);
    CHECK(asked >= 2, "asked %d times", asked);
    GC_set_no_dls(1);
    expect("no static data", in_static_data, 0);
    GC_add_roots(in_static_data, in_static_data + MANY);
    expect("a range in static data", in_static_data, 1);
    GC_clear_roots();
    expect("a range in static data no more", in_static_data, 0);
    GC_set_no_dls(0);
    expect("all static data again", in_static_data, 1);
    return 0;
}
