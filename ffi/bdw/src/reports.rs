//! Warnings, the end of the process, logs.
//!
//! This library has nothing to warn of, and writes nothing by itself.

use crate::{accessors::accessors, data::*, edge};
use core::ffi::c_int;
use gleaner::base::sync::{AtomicI32, Ordering};

unsafe extern "C" {
    fn gleaner_bdw_ignore_warning();
}

static WARN: Function = Function::at(gleaner_bdw_ignore_warning as *const ());

/// Where the program's own lines go that it logs by `GC_log_printf`.
static LOG: AtomicI32 = AtomicI32::new(2);

#[unsafe(no_mangle)]
extern "C" fn GC_set_log_fd(descriptor: c_int) {
    LOG.store(descriptor, Ordering::Relaxed);
}

/// For the edge.
#[unsafe(no_mangle)]
extern "C" fn gleaner_bdw_log_descriptor() -> c_int {
    LOG.load(Ordering::Relaxed)
}

edge::functions! {
    fn GC_ignore_warn_proc() = gleaner_bdw_ignore_warning;
    fn GC_abort_on_oom() = gleaner_bdw_abort_on_oom;
    fn GC_printf() = gleaner_bdw_printf;
    fn GC_err_printf() = gleaner_bdw_err_printf;
    fn GC_log_printf() = gleaner_bdw_log_printf;
}

accessors! {
    GC_get_abort_func, GC_set_abort_func: function in GC_on_abort;
    GC_get_warn_proc, GC_set_warn_proc: function in WARN;
}
