//! Statistics.

use crate::absent::absent;

absent! {
    GC_get_heap_size GC_get_free_bytes GC_get_unmapped_bytes GC_get_bytes_since_gc
    GC_get_expl_freed_bytes_since_gc GC_get_total_bytes GC_get_obtained_from_os_bytes GC_get_heap_usage_safe
    GC_get_prof_stats GC_get_prof_stats_unsafe GC_get_memory_use GC_get_gc_no GC_get_full_gc_total_time
    GC_start_performance_measurement GC_get_version
}
