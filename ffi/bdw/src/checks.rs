//! Checks of pointers, and dumps.

use crate::absent::absent;

absent! {
    GC_same_obj GC_pre_incr GC_post_incr GC_is_visible GC_is_valid_displacement GC_dump GC_dump_named
    GC_dump_regions GC_dump_finalization GC_noop1
}
