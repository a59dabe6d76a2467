/* Objects that are shown to a procedure when they die, and those with a closure before them. */
#include "many.h"
#include <gc_disclaim.h>

static int shown, wrong, keeps;
static unsigned kind;

/* Word 1 leads to another object, which is to be there. */
static int GC_CALLBACK see(void *object) {
    void **words = object;
    if (words[2] != (void *)7)
        return 0;
    if (words[1] == NULL || *(int *)words[1] != 42)
        wrong++;
    shown++;
    return keeps;
}

static void make(void) {
    for (int i = 0; i < MANY; i++) {
        void **object = GC_malloc_kind(40, kind);
        int *other = GC_malloc_atomic(24);
        *other = 42;
        object[1] = other;
        /* What asks for its objects to be searched while they are dead, in bdwgc. */
        object[0] = (void *)3;
        object[2] = (void *)7;
    }
}

static int ended;

static void GC_CALLBACK end(void *object, void *data) {
    if (*(int *)object != 43 || data != &ended)
        wrong++;
    ended++;
}

static const struct GC_finalizer_closure closure = {end, &ended};

static void make_finalized(void) {
    for (int i = 0; i < MANY; i++) {
        int *object = GC_finalized_malloc(40, &closure);
        CHECK(object != NULL && GC_base(object) == (char *)object - sizeof(void *), "behind its closure");
        *object = 43;
    }
}

static void churn(void) {
    /* A kind that is swept late is swept by its allocations. */
    for (int i = 0; i < 3; i++) {
        wipe_stack();
        GC_gcollect();
    }
}

int main(void) {
    GC_INIT();
    kind = GC_new_kind(GC_new_free_list(), 0 | GC_DS_LENGTH, 1, 1);
    GC_register_disclaim_proc(kind, see, 1);
    keeps = 1;
    elsewhere(make);
    churn();
    CHECK(shown >= 2 * (MANY - FEW), "shown at each collection while they are kept: %d", shown);
    keeps = 0;
    shown = 0;
    churn();
    CHECK(shown >= MANY - FEW && shown <= MANY, "shown once, and gone: %d", shown);
    GC_init_finalized_malloc();
    elsewhere(make_finalized);
    churn();
    CHECK(ended >= MANY - FEW && ended <= MANY, "closures that were called: %d", ended);
    CHECK(wrong == 0, "%d were not as they were left", wrong);
    return 0;
}
