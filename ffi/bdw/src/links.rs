//! Words that are cleared when the object they lead to goes.

use crate::absent::absent;

absent! {
    GC_register_disappearing_link GC_general_register_disappearing_link GC_unregister_disappearing_link
    GC_move_disappearing_link GC_register_long_link GC_unregister_long_link GC_move_long_link
}
