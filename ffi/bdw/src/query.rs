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

/// The number that programs know a kind by.
fn number_of(kind: Kind) -> c_int {
    match kind {
        Kind::POINTER_FREE => 0,
        Kind::SCANNED => 1,
        Kind::UNCOLLECTABLE => 2,
        Kind::POINTER_FREE_UNCOLLECTABLE => 3,
        made => gleaner::fatal!("GC_get_kind_and_size is not there yet for kinds that were made: {}", made.number()),
    }
}

/// # Safety
/// `bytes` is null or can be written to.
#[unsafe(no_mangle)]
unsafe extern "C" fn GC_get_kind_and_size(p: *const c_void, bytes: *mut usize) -> c_int {
    let slot = resolve::object_at(Addr::of(p));
    if !bytes.is_null() {
        // SAFETY: by the caller's promise.
        unsafe { bytes.write(slot.map_or(0, |slot| slot.bytes())) };
    }
    slot.map_or(1, |slot| number_of(slot.class().kind()))
}
