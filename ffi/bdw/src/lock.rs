//! The allocation lock, and the world stopped by the program.

use crate::absent::absent;

absent! {
    GC_alloc_lock GC_alloc_unlock GC_call_with_alloc_lock GC_suspend_thread GC_resume_thread
    GC_is_thread_suspended GC_stop_world_external GC_start_world_external GC_start_mark_threads
    GC_set_markers_count GC_get_parallel
}
