//! What an address belongs to.

use crate::alloc;
use core::ffi::{c_int, c_void};
use gleaner::{
    base::addr::{Addr, Ambiguous},
    heap::{kind::Kind, resolve, size_class},
};

#[unsafe(no_mangle)]
extern "C" fn GC_base(p: *mut c_void) -> *mut c_void {
    resolve::resolve(Ambiguous(p as usize)).map_or(core::ptr::null_mut(), |slot| slot.start().as_ptr())
}

#[unsafe(no_mangle)]
extern "C" fn GC_size(p: *const c_void) -> usize {
    resolve::object_at(Addr::of(p)).map_or(0, |slot| slot.bytes())
}

#[unsafe(no_mangle)]
extern "C" fn GC_is_heap_ptr(p: *const c_void) -> c_int {
    c_int::from(resolve::locate(Addr::of(p)).is_some())
}

/// The most bytes that `GC_get_size_map_at` knows.
const SIZE_MAP_BYTES_MAX: usize = 2048;

/// Bytes of an object for a request.
#[unsafe(no_mangle)]
extern "C" fn GC_get_size_map_at(bytes: c_int) -> usize {
    usize::try_from(bytes)
        .ok()
        .filter(|&bytes| bytes <= SIZE_MAP_BYTES_MAX)
        .and_then(|bytes| alloc::with_extra_byte(bytes, Kind::SCANNED))
        .map_or(usize::MAX, |bytes| size_class::slot_bytes_of(size_class::of_small(bytes.max(1))))
}
