//! Objects whose first word leads to their descriptor.

use crate::absent::absent;

absent! {
    GC_init_gcj_malloc GC_gcj_malloc GC_gcj_malloc_ignore_off_page GC_debug_gcj_malloc
}
