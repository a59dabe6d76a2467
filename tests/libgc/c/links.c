/* Links: when they are cleared, when not, and what the functions answer. */
#include "many.h"

enum { LONG_BYTES = MANY * sizeof(GC_word) };

static void *kept[MANY];
static GC_word longs[MANY];
static int finalized;

static void finalize(void *object, void *data) {
    (void)object, (void)data;
    finalized++;
}

static void make_finalized(void) {
    for (int i = 0; i < MANY; i++) {
        void *object = GC_malloc(40);
        watch(i, object);
        longs[i] = HIDDEN(object);
        CHECK(GC_register_long_link((void **)&longs[i], object) == GC_SUCCESS, "a long link");
        GC_register_finalizer_no_order(object, finalize, NULL, NULL, NULL);
    }
}

static void make(void) {
    for (int i = 0; i < MANY; i++) {
        void *object = GC_malloc(40);
        watch(i, object);
        kept[i] = i < MANY / 2 ? object : NULL;
    }
}

static void **places;

static void make_places(void) {
    for (int i = 0; i < MANY; i++) {
        void **place = GC_malloc_atomic(40);
        *place = (void *)HIDDEN(kept[0]);
        CHECK(GC_general_register_disappearing_link(place, kept[0]) == GC_SUCCESS, "a link in an object");
        watch(i, place);
    }
}

static void make_others(void) {
    for (int i = 0; i < MANY; i++) {
        places[i] = GC_malloc_atomic(40);
        *(GC_word *)places[i] = 42;
    }
}

static int count_longs(void) {
    int count = 0;
    for (int i = 0; i < MANY; i++)
        count += longs[i] != 0;
    return count;
}

int main(void) {
    static GC_word link, other;
    static void *object;
    GC_INIT();
    GC_set_finalize_on_demand(1);
    places = GC_malloc_uncollectable(MANY * sizeof(void *));
    /* What they answer. */
    object = GC_malloc(40);
    CHECK(GC_general_register_disappearing_link((void **)&link, object) == GC_SUCCESS, "registered");
    CHECK(GC_general_register_disappearing_link((void **)&link, object) == GC_DUPLICATE, "twice");
    CHECK(GC_move_disappearing_link((void **)&link, (void **)&other) == GC_SUCCESS, "moved");
    CHECK(GC_move_disappearing_link((void **)&link, (void **)&other) == GC_NOT_FOUND, "moved from where none is");
    CHECK(GC_general_register_disappearing_link((void **)&link, object) == GC_SUCCESS, "another");
    CHECK(GC_move_disappearing_link((void **)&link, (void **)&other) == GC_DUPLICATE, "moved to where one is");
    CHECK(GC_move_disappearing_link((void **)&link, (void **)&link) == GC_SUCCESS, "moved to where it is");
    CHECK(GC_register_long_link((void **)&link, object) == GC_SUCCESS, "one of the other kind");
    CHECK(GC_unregister_disappearing_link((void **)&link) && !GC_unregister_disappearing_link((void **)&link), "once");
    CHECK(GC_unregister_disappearing_link((void **)&other), "the other");
    CHECK(GC_unregister_long_link((void **)&link) && !GC_unregister_long_link((void **)&link), "once");
    CHECK(GC_move_long_link((void **)&link, (void **)&other) == GC_NOT_FOUND, "none");
    CHECK(!GC_unregister_disappearing_link((void **)((char *)&link + 1)), "no word");
    /* When they are cleared. */
    elsewhere(make);
    CHECK(living() <= MANY / 2 + FEW, "those of what is gone");
    for (int i = 0; i < MANY / 2; i++)
        CHECK(watched[i] == HIDDEN(kept[i]), "and no other");
    forget_all();
    /* Links that lie in objects go with them, and what comes after is not written to. */
    elsewhere(make_places);
    CHECK(living() <= FEW, "objects with links in them");
    forget_all();
    elsewhere(make_others);
    for (int i = 0; i < MANY; i++)
        kept[i] = NULL;
    wipe_stack();
    GC_gcollect();
    GC_gcollect();
    for (int i = 0; i < MANY; i++)
        CHECK(*(GC_word *)places[i] == 42, "object %d was written to", i);
    /* Short ones before finalizers, long ones when nothing is left. */
    elsewhere(make_finalized);
    CHECK(living() <= FEW, "short ones");
    CHECK(count_longs() == MANY, "long ones wait");
    CHECK(GC_invoke_finalizers() >= MANY - FEW, "finalizers");
    CHECK(finalized >= MANY - FEW, "%d", finalized);
    living();
    GC_invoke_finalizers();
    living();
    CHECK(count_longs() <= FEW, "long ones");
    return 0;
}
