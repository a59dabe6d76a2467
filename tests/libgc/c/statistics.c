/* Figures that agree with each other and with what was done. */
#include "check.h"

static void *volatile list[10000];

int main(void) {
    GC_word heap, free_bytes, unmapped, since, total;
    struct GC_prof_stats_s stats;
    size_t before;
    GC_INIT();
    GC_start_performance_measurement();
    before = GC_get_total_bytes();
    for (int i = 0; i < 10000; i++)
        list[i] = GC_malloc(1000);
    CHECK(GC_get_total_bytes() - before >= 9900000, "handed out: %zu", GC_get_total_bytes() - before);
    GC_gcollect();
    GC_get_heap_usage_safe(&heap, &free_bytes, &unmapped, &since, &total);
    CHECK(heap >= 10000000 && heap < 40000000, "the heap: %lu", (unsigned long)heap);
    CHECK(free_bytes <= heap - 10000000, "free: %lu of %lu", (unsigned long)free_bytes, (unsigned long)heap);
    CHECK(total >= 10000000 && since <= total, "handed out");
    GC_get_heap_usage_safe(NULL, NULL, NULL, NULL, NULL);
    CHECK(GC_get_heap_size() == heap && GC_get_free_bytes() == free_bytes, "one heap, two figures");
    CHECK(GC_get_obtained_from_os_bytes() >= heap, "obtained");
    CHECK(GC_get_prof_stats(&stats, sizeof stats) == sizeof stats, "profile");
    CHECK(stats.heapsize_full == heap && stats.gc_no == GC_get_gc_no(), "a profile of the same");
    memset(&stats, 0, sizeof stats);
    CHECK(GC_get_prof_stats(&stats, 8) == 8 && stats.heapsize_full == heap && stats.gc_no == 0, "a part");
    GC_dump_named("here");
    CHECK(GC_expand_hp(1 << 20), "expanded");
    return 0;
}
