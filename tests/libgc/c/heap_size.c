/* What the heap is said to have: what the environment and the program ask for, and no more than the limit. What is freed by
 * hand is counted from one collection to the next. */
#include "many.h"

static GC_word told;

static void listen(GC_word bytes) {
    told = bytes;
}

static void expand(void) {
    size_t before = GC_get_heap_size(), unused = GC_get_free_bytes();
    GC_set_on_heap_resize(listen);
    CHECK(GC_expand_hp(30 << 20), "expanded");
    CHECK(GC_get_heap_size() >= before + (30 << 20), "from %zu to %zu bytes", before, GC_get_heap_size());
    CHECK(GC_get_free_bytes() >= unused + (30 << 20), "from %zu to %zu free ones", unused, GC_get_free_bytes());
    CHECK(GC_get_obtained_from_os_bytes() >= GC_get_heap_size(), "of %zu", GC_get_obtained_from_os_bytes());
    GC_gcollect();
    CHECK(told >= before + (30 << 20), "told of %lu bytes", (unsigned long)told);
    GC_set_on_heap_resize(NULL);
}

static void limit(void) {
    GC_set_max_heap_size(GC_get_heap_size() + (1 << 20));
    CHECK(!GC_expand_hp(100 << 20), "beyond the limit");
    GC_set_max_heap_size(0);
    CHECK(!GC_expand_hp((size_t)-1 >> 1), "beyond all memory");
}

static void count_freed(void) {
    enum { BIG = 1 << 20 };
    struct GC_prof_stats_s stats;
    void *one = GC_malloc_uncollectable(BIG), *two = GC_malloc_uncollectable(BIG);
    GC_gcollect();
    GC_disable();
    size_t before = GC_get_expl_freed_bytes_since_gc();
    GC_free(one);
    GC_free(two);
    size_t freed = GC_get_expl_freed_bytes_since_gc();
    CHECK(freed >= before + 2 * BIG && freed <= before + 3 * BIG, "%zu bytes, before %zu", freed, before);
    GC_get_prof_stats(&stats, sizeof stats);
    CHECK(stats.expl_freed_bytes_since_gc == freed, "in the profile %lu", (unsigned long)stats.expl_freed_bytes_since_gc);
    GC_enable();
    GC_gcollect();
    CHECK(GC_get_expl_freed_bytes_since_gc() < BIG, "%zu bytes since then", GC_get_expl_freed_bytes_since_gc());
}

/* To the last object: a program may ask before and after. */
static void count_each_freed(void) {
    for (size_t bytes = 8; bytes <= 4096; bytes += 8) {
        char *object = GC_malloc_uncollectable(bytes), *other = GC_malloc(bytes);
        size_t first = GC_get_expl_freed_bytes_since_gc();
        GC_free(object);
        size_t second = GC_get_expl_freed_bytes_since_gc();
        CHECK(second >= first + bytes, "%zu bytes: %zu, and %zu before", bytes, second, first);
        GC_free(other);
        size_t third = GC_get_expl_freed_bytes_since_gc();
        CHECK(third >= second + bytes, "%zu bytes, collectable: %zu, and %zu before", bytes, third, second);
    }
}

int main(void) {
    setenv("GC_INITIAL_HEAP_SIZE", "20M", 1);
    GC_INIT();
    CHECK(GC_get_heap_size() >= 20 << 20, "%zu bytes at first", GC_get_heap_size());
    expand();
    limit();
    count_freed();
    GC_disable();
    count_each_freed();
    return 0;
}
