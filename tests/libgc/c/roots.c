/* Static data, stacks and what the program adds are roots; what it removes is none. */
#include "check.h"

static void *in_static_data;

__attribute__((noinline)) static GC_word put(void **place) {
    *place = GC_malloc(LARGE);
    return HIDDEN(*place);
}

__attribute__((noinline)) static GC_word put_inside(void **place) {
    GC_word hidden = put(place);
    *place = (char *)*place + 100000;
    return hidden;
}

int main(void) {
    void *on_stack[1];
    void **elsewhere = calloc(100, sizeof(void *));
    GC_word hidden;
    GC_INIT();
    /* The first object's address is that of the heap, which is found in more places than are looked at here. */
    GC_noop1((GC_word)GC_malloc(LARGE));
    hidden = put(&in_static_data);
    CHECK(!is_gone(hidden), "static data");
    CHECK(GC_is_visible(&in_static_data) == &in_static_data, "visible");
    in_static_data = NULL;
    CHECK(is_gone(hidden), "kept by nothing");
    hidden = put_inside(&on_stack[0]);
    GC_noop1((GC_word)on_stack);
    CHECK(!is_gone(hidden), "the stack, by an address inside");
    on_stack[0] = NULL;
    GC_noop1((GC_word)on_stack);
    CHECK(is_gone(hidden), "kept by nothing");
    hidden = put(&elsewhere[50]);
    CHECK(is_gone(hidden), "memory of malloc's is no root");
    GC_add_roots(elsewhere, elsewhere + 100);
    hidden = put(&elsewhere[50]);
    CHECK(!is_gone(hidden), "a root by request");
    GC_remove_roots(elsewhere, elsewhere + 99);
    CHECK(!is_gone(hidden), "only those that lie inside are removed");
    GC_remove_roots(elsewhere, elsewhere + 100);
    CHECK(is_gone(hidden), "removed");
    for (int i = 0; i < 3000; i++) {
        GC_add_roots(elsewhere, elsewhere + 50);
        GC_remove_roots(elsewhere, elsewhere + 50);
    }
    return 0;
}
