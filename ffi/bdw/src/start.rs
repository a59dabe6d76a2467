//! The constructor of `libgc.so.1`.

use crate::signals;
use core::ffi::c_char;
use gleaner::collect::start::Door;

/// Starts the engine.
///
/// # Safety
/// `environment` is the array that the loader passes to constructors.
pub unsafe fn start(environment: *const *const c_char) {
    signals::choose();
    // SAFETY: by the caller's promise.
    unsafe { gleaner_abi::start::start(Door::Library, environment) };
}
