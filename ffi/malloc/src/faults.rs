//! Accesses to condemned objects, with `collect=verify`: faults at barred pages, and what the edge asks when it allocates.
//!
//! A fault comes as `SIGSEGV`, so the gateway stands before the program's handler of that signal, and in place of none. What is
//! not ours goes to that handler, or does what the signal does where there is none. See `handlers` on the gateway, and
//! `collect::condemned`.
//!
//! Threads: the one that has touched the page, wherever that is.

use crate::handlers;
use core::{
    ffi::{c_int, c_void},
    sync::atomic::{AtomicBool, Ordering},
};
use gleaner::{
    base::addr::Addr,
    collect::condemned::{self, Access, Fault, guarded},
    os::{backtrace::Backtrace, signal},
};
use gleaner_abi::exports::errno;

/// Whether faults are looked at. Relaxed: set while one thread runs.
pub static IS_ON: AtomicBool = AtomicBool::new(false);

/// Looks at faults from now on, if that is asked for.
pub fn begin() {
    if !condemned::is_on() || !handlers::stand_before_faults() {
        return;
    }
    // The unwinder is loaded now: there is no loading in a handler.
    Backtrace::take();
    IS_ON.store(true, Ordering::Relaxed);
    condemned::note_handler();
}

/// Whether the gateway stays before this signal, whatever the program sets.
pub fn are_looked_at(number: c_int) -> bool {
    number == signal::FAULT && IS_ON.load(Ordering::Relaxed)
}

/// Whether a fault was ours: the instruction can be made again, and the access has been said.
///
/// # Safety
/// The second and the third argument of a handler of `SIGSEGV` that has not returned, and is told what has happened.
pub unsafe fn handle(information: *const c_void, context: *const c_void) -> bool {
    // SAFETY: by the caller's promise.
    let Some(fault) = (unsafe { signal::page_fault(information, context) }) else { return false };
    let access = match fault {
        signal::PageFault { is_jump: true, .. } => Access::Execute,
        signal::PageFault { is_write: true, .. } => Access::Write,
        _ => Access::Read,
    };
    let error = errno::get();
    let met = condemned::note_fault(fault.address, access);
    if let Fault::Access(report) = &met {
        report.print(Backtrace::take_from(fault.instruction.get()).calls());
    }
    errno::set(error);
    !matches!(met, Fault::Foreign)
}

/// Whether it is remembered who allocates what. For the edge.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_is_verifying() -> c_int {
    c_int::from(condemned::is_on())
}

/// The bytes to ask for in place of `bytes`, with pages of their own; zero: none. For the edge.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_guarded_bytes(bytes: usize, site: *const c_void) -> usize {
    let has_handler = IS_ON.load(Ordering::Relaxed);
    if has_handler { guarded::bytes_for(bytes, site as usize).unwrap_or(0) } else { 0 }
}

/// Remembers where an object comes from; `is_guarded` below zero: whether it has pages of its own is known. For the edge.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_note_birth(p: *mut c_void, bytes: usize, site: *const c_void, is_guarded: c_int) {
    let is_guarded = (is_guarded >= 0).then_some(is_guarded > 0);
    condemned::note_birth(Addr::of(p), bytes, site as usize, is_guarded);
}
