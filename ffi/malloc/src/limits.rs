//! What limits the address space, wrapped: the heap reserves far more of it than it uses, and a limit counts all of that.

use crate::dormant;
use core::ffi::c_int;
use gleaner::{
    heap::{cage::CAGE, gate, mutator},
    os::{limits, sys},
};
use gleaner_abi::exports::errno;

/// Gives back what the heap has only reserved, so that the process can make do with `bytes`.
fn fit(bytes: u64) {
    if dormant::is_dormant() {
        return;
    }
    if let Some(_inside) = mutator::register().and_then(gate::enter)
        && let Some(cage) = CAGE.lock().as_mut()
    {
        cage.fit(bytes as usize);
    }
}

const UNLIMITED: u64 = u64::MAX;

fn result(result: Result<usize, i32>) -> c_int {
    match result {
        Ok(_) => 0,
        Err(error) => {
            errno::set(error);
            -1
        }
    }
}

/// Linux: gets and sets a limit; `errno` tells why not.
///
/// # Safety
/// `new` and `old` are null or `struct rlimit`s.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prlimit(process: c_int, resource: c_int, new: *const [u64; 2], old: *mut [u64; 2]) -> c_int {
    const ADDRESS_SPACE: c_int = 9;
    // SAFETY: by the caller's promise; the soft limit comes first.
    let soft = if new.is_null() { UNLIMITED } else { unsafe { (*new)[0] } };
    if resource == ADDRESS_SPACE && soft != UNLIMITED && (process == 0 || process as u32 == sys::process_id()) {
        fit(soft);
    }
    // SAFETY: by the caller's promise.
    result(unsafe { limits::change(process, resource, new, old) })
}

/// Linux: the same, on this platform.
///
/// # Safety
/// As for [`prlimit`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prlimit64(process: c_int, resource: c_int, new: *const [u64; 2], old: *mut [u64; 2]) -> c_int {
    // SAFETY: by the caller's promise.
    unsafe { prlimit(process, resource, new, old) }
}

/// POSIX: sets a limit of this process.
///
/// # Safety
/// As for [`prlimit`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn setrlimit(resource: c_int, new: *const [u64; 2]) -> c_int {
    // SAFETY: by the caller's promise.
    unsafe { prlimit(0, resource, new, core::ptr::null_mut()) }
}

/// POSIX: the same, on this platform.
///
/// # Safety
/// As for [`prlimit`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn setrlimit64(resource: c_int, new: *const [u64; 2]) -> c_int {
    // SAFETY: by the caller's promise.
    unsafe { prlimit(0, resource, new, core::ptr::null_mut()) }
}

/// POSIX: locks what is mapped into memory. What is only reserved counts as mapped for a process with a limit.
#[unsafe(no_mangle)]
pub extern "C" fn mlockall(flags: c_int) -> c_int {
    let mut locked = limits::lock_all(flags);
    if locked == Err(errno::ENOMEM)
        && let Some(bytes) = limits::locked_bytes_max()
    {
        fit(bytes);
        locked = limits::lock_all(flags);
    }
    result(locked)
}
