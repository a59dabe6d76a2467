//! The numbers of signals.

use crate::absent::absent;

absent! {
    GC_get_suspend_signal GC_set_suspend_signal GC_get_thr_restart_signal GC_set_thr_restart_signal
}
