/* The statistics agree with what the program did; a structure of another version gets what both know. */
#include "check.h"

static void garbage(void)
{
    int i;
    for (i = 0; i < 100000; i++)
        use(gc_malloc(64));
}

static void filled_to(size_t size)
{
    union {
        gc_stats known;
        unsigned char bytes[sizeof(gc_stats) + 64];
    } room;
    size_t i;
    memset(&room, 0xee, sizeof room);
    room.known.size = size;
    CHECK(gc_stats_get(&room.known) == 0, "size %zu was refused", size);
    CHECK(room.known.size == size && room.known.version >= 1, "size %zu: %zu, version %u", size, room.known.size,
          room.known.version);
    for (i = size; i < sizeof room; i++)
        CHECK(room.bytes[i] == 0xee, "size %zu: byte %zu was written", size, i);
    for (i = sizeof(gc_stats); i < size; i++)
        CHECK(room.bytes[i] == 0, "size %zu: byte %zu, of no known field, is %#x", size, i, room.bytes[i]);
}

int main(void)
{
    gc_stats a, b;
    void *kept;
    size_t i;

    kept = gc_malloc(1 << 20);
    gc_collect();
    a = stats();
    CHECK(a.version == 1, "version %u", a.version);
    CHECK(a.collections == gc_collections(), "%lu and %lu collections", (unsigned long)a.collections, gc_collections());
    CHECK(a.bytes_in_use >= 1 << 20, "%lu bytes in use, with a live object of 1 MiB", (unsigned long)a.bytes_in_use);
    CHECK(a.bytes_heap >= a.bytes_in_use, "%lu bytes in use of %lu", (unsigned long)a.bytes_in_use,
          (unsigned long)a.bytes_heap);
    CHECK(a.live_bytes_last >= 1 << 20 && a.live_objects_last >= 1, "%lu bytes, %lu objects live",
          (unsigned long)a.live_bytes_last, (unsigned long)a.live_objects_last);
    CHECK(a.threads == 1, "%lu threads", (unsigned long)a.threads);
    CHECK(a.pause_longest_ns >= a.pause_last_ns && a.pause_total_ns >= a.pause_longest_ns && a.pause_last_ns > 0,
          "pauses: last %lu, longest %lu, total %lu ns", (unsigned long)a.pause_last_ns,
          (unsigned long)a.pause_longest_ns, (unsigned long)a.pause_total_ns);
    CHECK(a.bytes_metadata > 0 && a.bytes_committed > 0, "no metadata or nothing committed");
    CHECK(a.bytes_limit == 0 && a.oom_events == 0 && a.stops_abandoned == 0, "a limit, a failure or an abandoned stop");

    run(garbage);
    gc_collect();
    b = stats();
    CHECK(b.bytes_allocated_total >= a.bytes_allocated_total + 6300000, "%lu bytes allocated by 6,400,000",
          (unsigned long)(b.bytes_allocated_total - a.bytes_allocated_total));
    CHECK(b.bytes_allocated_total < a.bytes_allocated_total + 8000000, "%lu bytes allocated by 6,400,000",
          (unsigned long)(b.bytes_allocated_total - a.bytes_allocated_total));
    CHECK(b.bytes_reclaimed_total >= a.bytes_reclaimed_total + 6300000, "%lu of 6,400,000 bytes reclaimed",
          (unsigned long)(b.bytes_reclaimed_total - a.bytes_reclaimed_total));
    CHECK(b.objects_reclaimed_total >= a.objects_reclaimed_total + 99000, "%lu of 100,000 objects reclaimed",
          (unsigned long)(b.objects_reclaimed_total - a.objects_reclaimed_total));
    CHECK(b.bytes_freed_total == a.bytes_freed_total, "%lu bytes freed by hand",
          (unsigned long)(b.bytes_freed_total - a.bytes_freed_total));
    CHECK(b.collections > a.collections && b.pause_total_ns > a.pause_total_ns, "no collection is counted");

    gc_heap_limit_set(1 << 30);
    CHECK(stats().bytes_limit == 1 << 30, "the limit is %lu", (unsigned long)stats().bytes_limit);

    for (i = offsetof(gc_stats, collections); i <= sizeof(gc_stats) + 64; i += 8)
        filled_to(i);
    a.size = 4;
    CHECK(gc_stats_get(&a) == EINVAL, "size 4 was taken");
    a.size = 0;
    CHECK(gc_stats_get(&a) == EINVAL, "size 0 was taken");
    use(kept);
    return 0;
}
