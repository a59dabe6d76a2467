//! Allocations with a header that says where they were made.

use crate::absent::absent;

absent! {
    GC_debug_malloc GC_debug_malloc_atomic GC_debug_malloc_uncollectable GC_debug_malloc_atomic_uncollectable
    GC_debug_malloc_ignore_off_page GC_debug_malloc_atomic_ignore_off_page GC_debug_malloc_stubborn
    GC_debug_malloc_replacement GC_debug_realloc GC_debug_realloc_replacement GC_debug_free GC_debug_strdup
    GC_debug_strndup GC_debug_change_stubborn GC_debug_end_stubborn_change GC_debug_ptr_store_and_dirty
    GC_get_debug_header_size GC_debug_generic_or_special_malloc
}
