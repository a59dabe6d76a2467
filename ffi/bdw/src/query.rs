//! What an address belongs to.

use crate::absent::absent;

absent! {
    GC_base GC_size GC_is_heap_ptr GC_get_kind_and_size GC_get_size_map_at
}
