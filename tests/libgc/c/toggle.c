/* References that the callback calls strong or weak, or drops. */
#include "many.h"
#include <gc.h>

static int answer;

static GC_ToggleRefStatus decide(void *object) {
    CHECK(*(int *)object == 42, "the object is there");
    return answer;
}

static void make(void) {
    for (int i = 0; i < MANY; i++) {
        int *object = GC_malloc(40);
        *object = 42;
        CHECK(GC_toggleref_add(object, 1) == GC_SUCCESS, "a reference");
        watch(i, object);
    }
}

int main(void) {
    GC_INIT();
    GC_set_toggleref_func(decide);
    CHECK(GC_get_toggleref_func() == decide, "the callback");
    answer = GC_TOGGLE_REF_STRONG;
    elsewhere(make);
    CHECK(living() == MANY && living() == MANY, "strong ones");
    answer = GC_TOGGLE_REF_WEAK;
    CHECK(living() <= FEW, "weak ones");
    forget_all();
    answer = GC_TOGGLE_REF_STRONG;
    elsewhere(make);
    CHECK(living() == MANY, "strong ones");
    answer = GC_TOGGLE_REF_DROP;
    CHECK(living() <= FEW, "dropped ones");
    return 0;
}
