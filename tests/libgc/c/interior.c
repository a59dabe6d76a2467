/* With GC_all_interior_pointers 0, which words keep an object: on a stack any address inside it; in other objects, in static
 * data and in registered ranges its first byte, and places whose distance from that the program has registered. */
#include "many.h"
#include <gc_disclaim.h>

enum { REGISTERED = 24, TAGGED = 3, OTHER = 16 };

static size_t bytes, displacement;
static int way, ways = 2;
static char *in_static_data[MANY];
static char **in_object;
static char **in_uncollectable;
static char **in_range;
static char **place;

/* How the program knows an object, which has more before that. */
static void finalize(void *object, void *data) {
    CHECK(data == &finalize, "for %p", object);
}

static const struct GC_finalizer_closure closure = {finalize, (void *)&finalize};

static void *take(void) {
    switch (way) {
    case 0:
        return GC_malloc(bytes);
    case 1:
        return GC_malloc_atomic(bytes);
    case 2:
        return GC_debug_malloc(bytes, "here", 1);
    default:
        return GC_finalized_malloc(bytes, &closure);
    }
}

static void make(void) {
    for (int i = 0; i < MANY; i++) {
        char *object = take();
        watch(i, GC_base(object));
        place[i] = object + displacement;
    }
}

/* How many of a thousand objects a table of words of this displacement keeps. */
static int kept(char **table) {
    place = table;
    elsewhere(make);
    int count = living();
    for (int i = 0; i < MANY; i++)
        CHECK(watched[i] == 0 || GC_base(table[i]) == SEEN(watched[i]), "object %d has a base", i);
    memset(table, 0, MANY * sizeof *table);
    forget_all();
    return count;
}

static void expect(const char *where, char **table, int all) {
    int count = kept(table);
    CHECK(all ? count == MANY : count <= FEW, "way %d, %zu bytes, +%zu, %s: %d of %d", way, bytes, displacement, where,
          count, MANY);
}

static void expect_everywhere(int all) {
    for (way = 0; way < ways; way++) {
        expect("in static data", in_static_data, all);
        expect("in an object", in_object, all);
        expect("in an uncollectable object", in_uncollectable, all);
        expect("in a registered range", in_range, all);
    }
}

/* Their only words lie on this stack. */
__attribute__((noinline)) static void hold_on_stack(void) {
    char *volatile held[MANY];
    way = 0;
    place = (char **)held;
    elsewhere(make);
    int count = living();
    CHECK(count == MANY, "%zu bytes, +%zu, on a stack: %d of %d", bytes, displacement, count, MANY);
    GC_noop1((GC_word)held[0]);
    memset((void *)held, 0, sizeof held);
    forget_all();
}

static int complaints;

static void complain(void *p) {
    CHECK(GC_base(p) != NULL && GC_base(p) != p, "inside an object");
    complaints++;
}

/* What is told of a pointer before it is stored. */
static void check_before_storing(void) {
    char *object = GC_malloc(100);
    GC_is_valid_displacement_print_proc = complain;
    CHECK(GC_is_valid_displacement(object) == object, "the first byte");
    CHECK(GC_is_valid_displacement(object + REGISTERED) == object + REGISTERED, "a registered one");
    CHECK(GC_is_valid_displacement(&complaints) == &complaints && complaints == 0, "no object");
    GC_is_valid_displacement(object + OTHER + 1);
    CHECK(complaints == 1, "%d complaints", complaints);
}

int main(void) {
    static const size_t sizes[] = {32, 100, 1000, 5000, 40000};
    GC_set_all_interior_pointers(0);
    GC_register_displacement(TAGGED);
    GC_INIT();
    GC_init_finalized_malloc();
    GC_register_displacement(REGISTERED);
    CHECK(GC_get_all_interior_pointers() == 0, "as it was set");
    in_object = GC_malloc(MANY * sizeof *in_object);
    in_uncollectable = GC_malloc_uncollectable(MANY * sizeof *in_uncollectable);
    in_range = calloc(MANY, sizeof *in_range);
    GC_add_roots(in_range, in_range + MANY);
    CHECK(GC_size(GC_malloc(16)) == 16, "no byte is added");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        static const size_t kept_ones[] = {0, TAGGED, REGISTERED};
        bytes = sizes[i];
        for (size_t j = 0; j < sizeof kept_ones / sizeof kept_ones[0]; j++) {
            displacement = kept_ones[j];
            expect_everywhere(1);
        }
        displacement = 0, ways = 4;
        expect_everywhere(1);
        displacement = OTHER, ways = 2;
        expect_everywhere(0);
        hold_on_stack();
        displacement = bytes - 1;
        expect_everywhere(0);
        hold_on_stack();
        check_before_storing();
        complaints = 0;
    }
    return 0;
}
