//! What libraries that hide pointers allocate by: objects that live until they are freed.

use crate::family;
use core::ffi::c_void;
use gleaner::collect::hiding;
use gleaner_abi::{alloc::gc_malloc_uncollectable, exports::errno};

extern "C" fn malloc(size: usize) -> *mut c_void {
    gc_malloc_uncollectable(size)
}

/// Uncollectable objects are zeroed.
extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    match count.checked_mul(size) {
        Some(bytes) => gc_malloc_uncollectable(bytes),
        None => {
            errno::set(errno::ENOMEM);
            core::ptr::null_mut()
        }
    }
}

/// An object keeps its kind when it moves, so only a new one is made here.
unsafe extern "C" fn realloc(p: *mut c_void, size: usize) -> *mut c_void {
    if p.is_null() {
        return gc_malloc_uncollectable(size);
    }
    // SAFETY: by the caller's promise, as for the C library's.
    unsafe { family::realloc(p, size) }
}

/// Gives the libraries that are loaded now these functions.
pub fn treat_loaded() {
    let replacements = [
        (c"malloc", malloc as *const () as usize),
        (c"calloc", calloc as *const () as usize),
        (c"realloc", realloc as *const () as usize),
    ];
    // SAFETY: run by the loader while it starts the program, with what the program needs from its start, which stays.
    unsafe { hiding::treat_loaded(&replacements) };
}
