//! Objects with a descriptor of their own.

use crate::absent::absent;

absent! {
    GC_make_descriptor GC_malloc_explicitly_typed GC_malloc_explicitly_typed_ignore_off_page
    GC_calloc_explicitly_typed
}
