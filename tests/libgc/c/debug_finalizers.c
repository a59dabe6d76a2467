/* Finalizers of objects with a header: for the address that the program knows, whatever the collector calls it. */
#define GC_DEBUG
#include "many.h"

static int finalized, wrong;

static void finalize(void *object, void *data) {
    if (*(int *)object != 42 || data != &finalized)
        wrong++;
    finalized++;
}

static void make(void) {
    for (int i = 0; i < MANY; i++) {
        int *object = GC_MALLOC(20);
        *object = 42;
        if (i % 2)
            GC_REGISTER_FINALIZER(object, finalize, &finalized, NULL, NULL);
        else
            GC_REGISTER_FINALIZER_NO_ORDER(object, finalize, &finalized, NULL, NULL);
    }
}

int main(void) {
    GC_finalization_proc old;
    void *data, *object;
    GC_INIT();
    GC_set_finalize_on_demand(1);
    object = GC_MALLOC(20);
    GC_REGISTER_FINALIZER(object, finalize, &finalized, &old, &data);
    CHECK(old == 0 && data == NULL, "none before");
    GC_REGISTER_FINALIZER_IGNORE_SELF(object, finalize, &wrong, &old, &data);
    CHECK(old == finalize && data == &finalized, "the first");
    GC_REGISTER_FINALIZER(object, 0, 0, &old, &data);
    CHECK(old == finalize && data == &wrong, "the second");
    elsewhere(make);
    living();
    GC_invoke_finalizers();
    CHECK(finalized >= MANY - FEW && finalized <= MANY, "%d were finalized", finalized);
    CHECK(wrong == 0, "%d were not as they were left", wrong);
    return 0;
}
