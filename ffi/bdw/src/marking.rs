//! The marking protocol: what mark procedures and callbacks for roots may call.

use crate::absent::absent;

absent! {
    GC_mark_and_push GC_push_all GC_push_all_eager GC_push_conditional GC_push_finalizer_structures
    GC_is_marked GC_set_mark_bit GC_clear_mark_bit GC_enumerate_reachable_objects_inner
}
