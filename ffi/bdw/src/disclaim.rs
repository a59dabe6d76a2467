//! Procedures that see objects die.

use crate::absent::absent;

absent! {
    GC_init_finalized_malloc GC_finalized_malloc GC_register_disclaim_proc
}
