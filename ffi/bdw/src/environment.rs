//! What the user says by environment variables, read once.
//!
//! The common ones do what they did; the others are accepted and change nothing, in silence.

use crate::{data::*, edge, sizing};
use core::ffi::CStr;
use gleaner::{api::options::size, base::sync::Ordering};

/// Reads them. The program runs with its user's own rights.
pub fn read() {
    if gleaner::os::is_secure_mode() {
        return;
    }
    if let Some(bytes) = value(c"GC_INITIAL_HEAP_SIZE").and_then(size) {
        sizing::begin_with(bytes);
    }
    if let Some(bytes) = value(c"GC_MAXIMUM_HEAP_SIZE").and_then(size) {
        sizing::limit(bytes);
    }
    if value(c"GC_DONT_GC").is_some() {
        GC_dont_gc.store(1, Ordering::Relaxed);
    }
    if let Some(divisor) = value(c"GC_FREE_SPACE_DIVISOR").and_then(size).filter(|&divisor| divisor > 0) {
        GC_free_space_divisor.store(divisor, Ordering::Relaxed);
    }
    if value(c"GC_ALL_INTERIOR_POINTERS").is_some() {
        GC_all_interior_pointers.store(1, Ordering::Relaxed);
    }
    if value(c"GC_FIND_LEAK").is_some() {
        GC_find_leak.store(1, Ordering::Relaxed);
    }
}

/// The text of a variable.
fn value(name: &CStr) -> Option<&'static str> {
    // SAFETY: the name is a string.
    let text = unsafe { edge::gleaner_bdw_variable(name.as_ptr()) };
    if text.is_null() {
        return None;
    }
    // SAFETY: a string of the environment; nobody changes that one while we look.
    unsafe { CStr::from_ptr(text) }.to_str().ok()
}
