/* Collections asked for and forbidden; what GC_gc_no counts. */
#include "check.h"

static int must_stop(void) {
    return 1;
}

static int may_go_on(void) {
    return 0;
}

static void churn(size_t bytes) {
    for (size_t i = 0; i < bytes / 100; i++)
        GC_noop1((GC_word)GC_malloc(100));
}

int main(void) {
    GC_word number;
    GC_INIT();
    CHECK(GC_is_init_called(), "initialized");
    number = GC_get_gc_no();
    GC_gcollect();
    CHECK(GC_get_gc_no() == number + 1, "one collection");
    CHECK(!GC_is_disabled(), "enabled");
    GC_disable();
    GC_disable();
    GC_enable();
    CHECK(GC_is_disabled(), "disabled twice, enabled once");
    GC_gcollect();
    churn(64 << 20);
    CHECK(GC_get_gc_no() == number + 1, "a collection while disabled");
    GC_enable();
    churn(64 << 20);
    CHECK(GC_get_gc_no() > number + 1, "no collection by itself");
    number = GC_get_gc_no();
    GC_set_disable_automatic_collection(1);
    churn(64 << 20);
    CHECK(GC_get_gc_no() == number, "a collection by itself");
    GC_gcollect();
    CHECK(GC_get_gc_no() == number + 1, "one that was asked for");
    GC_set_disable_automatic_collection(0);
    CHECK(GC_try_to_collect(must_stop) == 0 && GC_get_gc_no() == number + 1, "stopped");
    CHECK(GC_try_to_collect(may_go_on) == 1 && GC_get_gc_no() == number + 2, "not stopped");
    GC_gcollect_and_unmap();
    while (GC_collect_a_little())
        ;
    GC_enable_incremental();
    CHECK(GC_incremental_protection_needs() == GC_PROTECTS_NONE || GC_is_incremental_mode(), "protects");
    CHECK(GC_get_version() == ((GC_VERSION_MAJOR << 16) | (GC_VERSION_MINOR << 8) | GC_VERSION_MICRO), "the version");
    GC_set_full_freq(7);
    GC_set_time_limit(50);
    GC_set_free_space_divisor(2);
    CHECK(GC_get_full_freq() == 7 && GC_get_time_limit() == 50 && GC_get_free_space_divisor() == 2, "settings");
    return 0;
}
