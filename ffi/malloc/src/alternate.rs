//! `sigaltstack`, wrapped: memory that a program takes from `malloc` for its signal handlers is the kernel's to know alone.

use core::ffi::{c_int, c_void};
use gleaner::{
    base::addr::Addr,
    collect::{roots::alternate, world},
    heap::cage,
    os::signal,
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

/// Notes what the kernel has now, if that is in the heap, or was.
fn note() {
    let start = signal::own_alternate_stack().ss_sp as usize;
    let is_ours = cage::contains(Addr::new(start));
    // Without a record, for want of memory, the thread is asked again when it is stopped.
    if !is_ours || world::register().is_some() {
        alternate::note(if is_ours { start } else { 0 });
    }
}
