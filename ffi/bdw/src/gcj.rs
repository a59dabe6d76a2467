//! Objects whose first word leads to their descriptor.

use crate::{control::settle, data::*, descriptor, edge, kinds, marking};
use core::ffi::{c_int, c_void};
use gleaner::base::sync::Ordering;

/// The descriptor of a kind whose objects' first word leads to a table with a descriptor in its second.
const OF_TABLE: usize = (-(size_of::<usize>() as isize) - 0x10) as usize | descriptor::PER_OBJECT;

#[unsafe(no_mangle)]
extern "C" fn GC_init_gcj_malloc(index: c_int, procedure: *mut c_void) {
    settle();
    if GC_gcj_kind.load(Ordering::Relaxed) != 0 {
        return;
    }
    marking::set_procedure(index as usize, procedure);
    GC_gcj_kind.store(kinds::make(OF_TABLE, false, true), Ordering::Relaxed);
    GC_gcj_debug_kind.store(kinds::make(descriptor::of_procedure(index as usize, 1), false, true), Ordering::Relaxed);
}

/// # Safety
/// `table` is null or leads to a descriptor.
#[unsafe(no_mangle)]
unsafe extern "C" fn GC_gcj_malloc(bytes: usize, table: *const c_void) -> *mut c_void {
    let object =
        kinds::pop_or_leave(bytes.max(size_of::<usize>()), kinds::of_number(GC_gcj_kind.load(Ordering::Relaxed)));
    if !object.is_null() {
        // SAFETY: a new object of at least a word, which nobody else knows.
        unsafe { object.cast::<*const c_void>().write_volatile(table) };
    }
    object
}

/// # Safety
/// As for `GC_gcj_malloc`.
#[unsafe(no_mangle)]
unsafe extern "C" fn GC_gcj_malloc_ignore_off_page(bytes: usize, table: *const c_void) -> *mut c_void {
    // SAFETY: by the caller's promise.
    unsafe { GC_gcj_malloc(bytes, table) }
}

edge::functions! {
    fn GC_debug_gcj_malloc() = gleaner_bdw_debug_gcj_malloc;
}
