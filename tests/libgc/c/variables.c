/* The variables of gc.h, written directly before and after GC_init, by an executable that has copies of them. */
#include "check.h"

int main(void) {
    CHECK(GC_all_interior_pointers == 1 && GC_java_finalization == 1 && GC_no_dls == 0, "as they begin");
    CHECK(GC_full_freq == 19 && GC_free_space_divisor == 3 && GC_time_limit == GC_TIME_UNLIMITED, "as they begin");
    CHECK(GC_stackbottom == NULL, "not known yet");
    GC_all_interior_pointers = 0;
    GC_INIT();
    CHECK(GC_get_all_interior_pointers() == 0, "written before");
    CHECK(GC_size(GC_malloc(16)) == 16, "no extra byte");
    char here;
    CHECK(&here < GC_stackbottom, "the bottom of the stack");
    GC_java_finalization = 0;
    CHECK(GC_get_java_finalization() == 0, "written after");
    GC_dont_gc = 1;
    CHECK(GC_is_disabled(), "disabled");
    GC_word number = GC_get_gc_no();
    GC_gcollect();
    CHECK(GC_get_gc_no() == number, "a collection while disabled");
    GC_dont_gc = 0;
    GC_gcollect();
    CHECK(GC_gc_no == number + 1, "counted");
    return 0;
}
