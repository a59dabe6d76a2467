//! The incremental mode, which this collector does not have: asking for it changes nothing, and
//! `GC_is_incremental_mode` says so. Stores need not be announced.

use crate::{accessors::accessors, control, data::*};
use core::ffi::{c_int, c_ulong, c_void};
use gleaner::base::sync::{AtomicI32, AtomicUsize, Ordering};

static MANUAL: AtomicI32 = AtomicI32::new(0);
static RATE: AtomicI32 = AtomicI32::new(10);
static PRIOR_ATTEMPTS: AtomicI32 = AtomicI32::new(1);
static LIMIT_NANOSECONDS: AtomicUsize = AtomicUsize::new(0);

/// `struct GC_timeval_s` of `gc.h`.
#[repr(C)]
struct Time {
    milliseconds: c_ulong,
    nanoseconds: c_ulong,
}

#[unsafe(no_mangle)]
extern "C" fn GC_enable_incremental() {
    control::GC_init();
}

#[unsafe(no_mangle)]
extern "C" fn GC_is_incremental_mode() -> c_int {
    0
}

#[unsafe(no_mangle)]
extern "C" fn GC_start_incremental_collection() {}

#[unsafe(no_mangle)]
extern "C" fn GC_incremental_protection_needs() -> c_int {
    0
}

#[unsafe(no_mangle)]
extern "C" fn GC_end_stubborn_change(_object: *const c_void) {}

#[unsafe(no_mangle)]
extern "C" fn GC_change_stubborn(_object: *const c_void) {}

/// # Safety
/// `place` can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GC_ptr_store_and_dirty(place: *mut c_void, value: *const c_void) {
    // SAFETY: by the caller's promise.
    unsafe { place.cast::<*const c_void>().write_volatile(value) };
}

#[unsafe(no_mangle)]
extern "C" fn GC_get_time_limit_tv() -> Time {
    Time {
        milliseconds: GC_time_limit.load(Ordering::Relaxed) as c_ulong,
        nanoseconds: LIMIT_NANOSECONDS.load(Ordering::Relaxed) as c_ulong,
    }
}

#[unsafe(no_mangle)]
extern "C" fn GC_set_time_limit_tv(limit: Time) {
    GC_time_limit.store(limit.milliseconds as usize, Ordering::Relaxed);
    LIMIT_NANOSECONDS.store(limit.nanoseconds as usize, Ordering::Relaxed);
}

accessors! {
    GC_get_manual_vdb_allowed, GC_set_manual_vdb_allowed: c_int in MANUAL;
    GC_get_rate, GC_set_rate: c_int in RATE;
    GC_get_max_prior_attempts, GC_set_max_prior_attempts: c_int in PRIOR_ATTEMPTS;
    GC_get_full_freq, GC_set_full_freq: c_int in GC_full_freq;
    GC_get_time_limit, GC_set_time_limit: usize in GC_time_limit;
}
