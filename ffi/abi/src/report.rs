//! Statistics, events, handlers, the version.

use crate::{
    edge::{LISTENER, OOM, WARN},
    engine::forward,
    exports::errno,
};
use core::{
    ffi::{c_char, c_int, c_uint, c_void},
    fmt::Write,
};
use gleaner::{
    api::stats::{self, Stats},
    collect::events,
    heap::{gate, mutator},
};

/// `gc_stats` of `gleaner.h`.
#[repr(C)]
pub struct GcStats {
    size: usize,
    version: c_uint,
    figures: Stats,
}

const VERSION: c_uint = 1;

/// See `gleaner.h`.
///
/// # Safety
/// `stats` has the size that its first member says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_stats_get(stats: *mut GcStats) -> c_int {
    forward!(gc_stats_get(stats));
    // SAFETY: the caller set the first member.
    let size = unsafe { (*stats).size };
    if size <= core::mem::offset_of!(GcStats, version) + size_of::<c_uint>() {
        return errno::EINVAL;
    }
    let current = GcStats { size, version: VERSION, figures: stats::now() };
    let known = size.min(size_of::<GcStats>());
    // SAFETY: by the caller's promise there are `size` bytes; what only the caller knows is zero.
    unsafe {
        core::ptr::write_bytes(stats.cast::<u8>(), 0, size);
        core::ptr::copy_nonoverlapping((&raw const current).cast::<u8>(), stats.cast::<u8>(), known);
    }
    0
}

/// Writes what fits and counts all.
struct Counting {
    buffer: *mut u8,
    room: usize,
    length: usize,
}

impl Write for Counting {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        for byte in text.bytes() {
            if self.length < self.room {
                // SAFETY: below the room that the caller gave.
                unsafe { self.buffer.add(self.length).write(byte) };
            }
            self.length += 1;
        }
        Ok(())
    }
}

/// See `gleaner.h`.
///
/// # Safety
/// `buffer` has room for `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_stats_json(buffer: *mut c_char, length: usize) -> usize {
    forward!(gc_stats_json(buffer, length));
    let mut out = Counting { buffer: buffer.cast(), room: length.saturating_sub(1), length: 0 };
    // A `Counting` never refuses.
    let _ = write!(out, "{{\"version\":{VERSION},").and_then(|()| stats::write_json_members(&stats::now(), &mut out));
    let _ = out.write_str("}");
    if length != 0 {
        // SAFETY: within the caller's room.
        unsafe { buffer.add(out.length.min(length - 1)).write(0) };
    }
    out.length
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_event_listener_set(
    listener: Option<unsafe extern "C" fn(*const c_void, *mut c_void)>,
    data: *mut c_void,
) {
    forward!(gc_event_listener_set(listener, data));
    LISTENER.set(listener.map_or(0, |listener| listener as usize), data as usize);
    if let Some(_inside) = mutator::register().and_then(gate::enter) {
        events::listen(listener.is_some());
    }
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_oom_handler_set(
    handler: Option<unsafe extern "C" fn(usize, *mut c_void) -> *mut c_void>,
    data: *mut c_void,
) {
    forward!(gc_oom_handler_set(handler, data));
    OOM.set(handler.map_or(0, |handler| handler as usize), data as usize);
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_warn_handler_set(
    handler: Option<unsafe extern "C" fn(*const c_char, *mut c_void)>,
    data: *mut c_void,
) {
    forward!(gc_warn_handler_set(handler, data));
    WARN.set(handler.map_or(0, |handler| handler as usize), data as usize);
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}
