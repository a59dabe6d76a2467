//! Warnings, the end of the process, logs.

use crate::absent::absent;

absent! {
    GC_get_abort_func GC_set_abort_func GC_abort_on_oom GC_get_warn_proc GC_set_warn_proc GC_ignore_warn_proc
    GC_set_log_fd GC_printf GC_err_printf GC_log_printf
}
