/* Large objects that are promised to be known by their beginnings: an address beyond the first page keeps none of them,
 * wherever it lies. */
#include "many.h"

static size_t bytes, displacement;
static void *(*allocate)(size_t bytes);
static int count_of_objects;
static char *in_static_data[MANY];
static char **in_object;
static char **place;

static void *scanned(size_t n) {
    return GC_malloc_ignore_off_page(n);
}
static void *atomic(size_t n) {
    return GC_malloc_atomic_ignore_off_page(n);
}
static void *of_kind(size_t n) {
    return GC_generic_malloc_ignore_off_page(n, 1);
}
static void *ordinary(size_t n) {
    return GC_malloc(n);
}

static void make(void) {
    for (int i = 0; i < count_of_objects; i++) {
        char *object = allocate(bytes);
        CHECK(object != NULL && GC_base(object) == object && GC_size(object) >= bytes, "an object of %zu bytes", bytes);
        CHECK(object[0] == 0 || allocate == atomic, "zero");
        watch(i, object);
        place[i] = object + displacement;
    }
}

static void expect(const char *what, char **table, int all) {
    place = table;
    elsewhere(make);
    int count = living();
    CHECK(all ? count == count_of_objects : count <= count_of_objects / 10, "%zu bytes, +%zu, %s: %d of %d", bytes,
          displacement, what, count, count_of_objects);
    memset(table, 0, MANY * sizeof *table);
    forget_all();
}

static void expect_everywhere(const char *what, int all) {
    expect(what, in_static_data, all);
    expect(what, in_object, all);
}

__attribute__((noinline)) static void hold_on_stack(const char *what, int all) {
    char *volatile held[MANY];
    memset((void *)held, 0, sizeof held);
    expect(what, (char **)held, all);
    GC_noop1((GC_word)held[0]);
}

int main(void) {
    static const size_t sizes[] = {6000, 20000, 300000};
    static const struct {
        const char *name;
        void *(*allocate)(size_t);
    } ways[] = {{"scanned", scanned}, {"atomic", atomic}, {"of a kind", of_kind}};
    GC_INIT();
    in_object = GC_malloc(MANY * sizeof *in_object);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (size_t j = 0; j < sizeof ways / sizeof ways[0]; j++) {
            bytes = sizes[i];
            allocate = ways[j].allocate;
            count_of_objects = bytes > 100000 ? 100 : 500;
            static const size_t kept_ones[] = {0, 255, 511};
            for (size_t k = 0; k < sizeof kept_ones / sizeof kept_ones[0]; k++) {
                displacement = kept_ones[k];
                expect_everywhere(ways[j].name, 1);
                hold_on_stack(ways[j].name, 1);
            }
            displacement = 4096 + 8;
            expect_everywhere(ways[j].name, 0);
            hold_on_stack(ways[j].name, 0);
            displacement = bytes - 1;
            expect_everywhere(ways[j].name, 0);
            hold_on_stack(ways[j].name, 0);
            allocate = ordinary;
            expect_everywhere("ordinary", 1);
        }
    /* One that gets another size has its bytes, and is of the same kind. */
    for (int pointer_free = 0; pointer_free <= 1; pointer_free++) {
        char *old = (pointer_free ? atomic : scanned)(20000);
        memset(old, 'x', 20000);
        CHECK(GC_get_kind_and_size(old, NULL) == !pointer_free, "kind %d", GC_get_kind_and_size(old, NULL));
        char *grown = GC_realloc(old, 200000);
        CHECK(GC_get_kind_and_size(grown, NULL) == !pointer_free, "kind %d", GC_get_kind_and_size(grown, NULL));
        CHECK(grown[0] == 'x' && grown[19999] == 'x' && (pointer_free || grown[199999] == 0), "its bytes");
        char *shrunk = GC_realloc(grown, 6000);
        CHECK(shrunk[0] == 'x' && shrunk[5999] == 'x', "its first bytes");
        GC_free(shrunk);
        GC_free(scanned(30000));
    }
    /* Small ones are as others are. */
    bytes = 1000, displacement = 999, count_of_objects = MANY;
    for (size_t j = 0; j < sizeof ways / sizeof ways[0]; j++) {
        allocate = ways[j].allocate;
        expect_everywhere(ways[j].name, 1);
    }
    return 0;
}
