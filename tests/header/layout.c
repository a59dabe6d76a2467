/* The places of all fields: they are the contract with programs compiled long ago. */
#include <gleaner.h>

#define HOLDS(name, condition) typedef char name[(condition) ? 1 : -1]
#define FIELD(type, index, name) HOLDS(type##_##name, offsetof(type, name) == 16 + 8 * (index))

HOLDS(stats_size_is_first, offsetof(gc_stats, size) == 0);
HOLDS(stats_version_is_next, offsetof(gc_stats, version) == 8);
FIELD(gc_stats, 0, collections);
FIELD(gc_stats, 1, bytes_in_use);
FIELD(gc_stats, 2, bytes_heap);
FIELD(gc_stats, 3, bytes_committed);
FIELD(gc_stats, 4, bytes_metadata);
FIELD(gc_stats, 5, bytes_allocated_total);
FIELD(gc_stats, 6, bytes_freed_total);
FIELD(gc_stats, 7, bytes_reclaimed_total);
FIELD(gc_stats, 8, objects_reclaimed_total);
FIELD(gc_stats, 9, pause_total_ns);
FIELD(gc_stats, 10, pause_longest_ns);
FIELD(gc_stats, 11, pause_last_ns);
FIELD(gc_stats, 12, mark_last_ns);
FIELD(gc_stats, 13, sweep_last_ns);
FIELD(gc_stats, 14, live_bytes_last);
FIELD(gc_stats, 15, live_objects_last);
FIELD(gc_stats, 16, threads);
FIELD(gc_stats, 17, stops_abandoned);
FIELD(gc_stats, 18, finalizers_pending);
FIELD(gc_stats, 19, finalizers_run);
FIELD(gc_stats, 20, finalizer_cycles);
FIELD(gc_stats, 21, weak_cleared);
FIELD(gc_stats, 22, released_bytes_total);
FIELD(gc_stats, 23, oom_events);
FIELD(gc_stats, 24, bytes_limit);
HOLDS(stats_ends_there, sizeof(gc_stats) == 16 + 8 * 25);

HOLDS(pair_key, offsetof(gc_pair, key) == 0);
HOLDS(pair_value, offsetof(gc_pair, value) == 8);
HOLDS(pair_size, sizeof(gc_pair) == 24);

HOLDS(event_version_is_first, offsetof(gc_event, version) == 0);
HOLDS(event_kind_is_next, offsetof(gc_event, kind) == 4 && sizeof(enum gc_event_kind) == 4);
HOLDS(event_collection, offsetof(gc_event, collection) == 8);
HOLDS(event_time_ns, offsetof(gc_event, time_ns) == 16);
HOLDS(event_duration_ns, offsetof(gc_event, duration_ns) == 24);
HOLDS(event_live_bytes, offsetof(gc_event, live_bytes) == 32);
HOLDS(event_reclaimed_bytes, offsetof(gc_event, reclaimed_bytes) == 40);
HOLDS(event_ends_there, sizeof(gc_event) == 48);

HOLDS(layout_is_a_word, sizeof(gc_layout) == 8);
HOLDS(kind_is_an_unsigned_int, sizeof(gc_kind) == sizeof(unsigned int));
HOLDS(enums_are_ints, sizeof(enum gc_finalizer_order) == 4 && sizeof(enum gc_weak_kind) == 4);
