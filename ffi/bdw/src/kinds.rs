//! Kinds, and chains of free objects that clients keep themselves.

use crate::absent::absent;

absent! {
    GC_malloc_many GC_malloc_kind GC_malloc_kind_global GC_generic_malloc GC_generic_malloc_ignore_off_page
    GC_generic_malloc_many GC_generic_malloc_uncollectable GC_generic_or_special_malloc GC_new_free_list
    GC_new_free_list_inner GC_new_kind GC_new_kind_inner GC_new_proc GC_new_proc_inner
    GC_register_describe_type_fn GC_print_free_list GC_incr_bytes_allocd GC_incr_bytes_freed
}
