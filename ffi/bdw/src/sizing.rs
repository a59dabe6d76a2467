//! The size of the heap.

use crate::{absent::absent, accessors::accessors, data::*};

absent! {
    GC_expand_hp GC_get_free_space_divisor GC_set_free_space_divisor GC_set_max_heap_size
    GC_get_min_bytes_allocd GC_set_min_bytes_allocd GC_get_force_unmap_on_gcollect
    GC_set_force_unmap_on_gcollect GC_get_pages_executable GC_set_pages_executable
}

accessors! {
    GC_get_dont_expand, GC_set_dont_expand: c_int in GC_dont_expand;
    GC_get_dont_precollect, GC_set_dont_precollect: c_int in GC_dont_precollect;
    GC_get_max_retries, GC_set_max_retries: usize in GC_max_retries;
    GC_get_non_gc_bytes, GC_set_non_gc_bytes: usize in GC_non_gc_bytes;
    GC_get_on_heap_resize, GC_set_on_heap_resize: function in GC_on_heap_resize;
    GC_get_oom_fn, GC_set_oom_fn: function in GC_oom_fn;
}
