//! What a fork needs.

use crate::absent::absent;

absent! {
    GC_set_handle_fork GC_atfork_prepare GC_atfork_parent GC_atfork_child
}
