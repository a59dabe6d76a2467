//! The library's constructor.

use crate::{data::*, signals};
use core::ffi::c_char;
use gleaner::{base::sync::Ordering, collect::start::Door};

/// What `GC_MARK_AND_PUSH` takes for an address of the heap, before it asks us: anything between the first page and the end
/// of what a program may have. The heap may grow in the middle of that.
const PLAUSIBLE: (usize, usize) = (1 << 12, 1 << 47);

/// Starts the engine.
///
/// # Safety
/// `environment` is the array that the loader passes to constructors.
pub unsafe fn start(environment: *const *const c_char) {
    signals::choose();
    GC_least_plausible_heap_addr.store(PLAUSIBLE.0, Ordering::Relaxed);
    GC_greatest_plausible_heap_addr.store(PLAUSIBLE.1, Ordering::Relaxed);
    // SAFETY: by the caller's promise.
    unsafe { gleaner_abi::start::start(Door::Library, environment) };
}
