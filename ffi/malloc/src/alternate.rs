//! `sigaltstack`, wrapped: memory that a program takes from `malloc` for its signal handlers is the kernel's to know alone.
//! And `munmap`: what the kernel still has for another thread stays.

use core::ffi::{c_int, c_void};
use gleaner::{
    base::addr::{Addr, Range},
    collect::{roots::alternate, world},
    os::{mem, signal},
};
use gleaner_abi::exports::errno;

/// POSIX: sets and gives the calling thread's alternate stack, which lives as long as the kernel has it.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sigaltstack(new: *const c_void, old: *mut c_void) -> c_int {
    // SAFETY: by the caller's promise.
    match unsafe { signal::change_alternate_stack(new.cast(), old.cast()) } {
        Ok(()) => {
            // Until it is noted the description has the address, which lies in the caller's memory.
            note();
            0
        }
        Err(error) => {
            errno::set(error);
            -1
        }
    }
}

/// Notes what the kernel has now.
fn note() {
    let stack = signal::own_alternate_range();
    if !stack.is_empty() && world::is_own_process() {
        let _ = world::register();
    }
    alternate::note(stack);
}

/// POSIX: as the C library's. An alternate stack that another thread still has stays mapped: a signal may come to it.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn munmap(start: *mut c_void, bytes: usize) -> c_int {
    // What ends behind all addresses is the kernel's to refuse.
    let mut rest = Range::new(Addr::of(start), Addr::new(start.addr().saturating_add(bytes)));
    // SAFETY: by the caller's promise.
    let removed = unsafe {
        loop {
            let Some(kept) = alternate::of_another_thread(rest) else { break mem::remove_mapping(rest) };
            let front = Range::new(rest.start, kept.start);
            rest = Range::new(kept.end, rest.end);
            if !front.is_empty()
                && let Err(error) = mem::remove_mapping(front)
            {
                break Err(error);
            }
            if rest.is_empty() {
                break Ok(());
            }
        }
    };
    match removed {
        Ok(()) => 0,
        Err(error) => {
            errno::set(error);
            -1
        }
    }
}
