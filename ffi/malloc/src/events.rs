//! Events: what a program registers with the kernel, which has its data until it is taken off.

use crate::{peek, regions::Original};
use core::{
    ffi::{c_int, c_void},
    mem::transmute,
};
use gleaner::collect::held::{self, Place};

static EPOLL_CTL: Original = Original::new(c"epoll_ctl");

/// Looks all up while one thread runs.
pub fn find_originals() {
    EPOLL_CTL.find();
}

/// The kernel's `struct epoll_event`.
#[repr(C, packed)]
#[derive(Clone, Copy)]
struct Event {
    events: u32,
    data: usize,
}

const REMOVE: c_int = 2;

/// Linux: as the C library's. An object that an event's data points to lives as long as the event is waited for.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn epoll_ctl(set: c_int, operation: c_int, descriptor: c_int, event: *mut c_void) -> c_int {
    // The address is in this frame until it is noted.
    // SAFETY: any bytes are an event.
    let data = unsafe { peek::value(event.cast::<Event>()) }.map_or(0, |event| event.data);
    // SAFETY: the C library's function of that type; by the caller's promise.
    let result = unsafe {
        let original: extern "C" fn(c_int, c_int, c_int, *mut c_void) -> c_int = transmute(EPOLL_CTL.find());
        original(set, operation, descriptor, event)
    };
    if result == 0 {
        held::note(Place::Event { set, descriptor }, if operation == REMOVE { 0 } else { data });
    }
    core::hint::black_box(data);
    result
}
