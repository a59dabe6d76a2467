//! Limits of the process, by raw system calls: the C library's functions may be the ones that a door wraps.

use super::{filter, sys};

/// Sets and gets a limit of a process, as Linux's `prlimit64`: soft and hard, in that order.
///
/// # Safety
/// `new` and `old` are null or can be read and written.
pub unsafe fn change(process: i32, resource: i32, new: *const [u64; 2], old: *mut [u64; 2]) -> Result<usize, i32> {
    let args = [process as usize, resource as usize, new as usize, old as usize, 0, 0];
    // SAFETY: by the caller's promise.
    sys::checked(unsafe { sys::call(libc::SYS_prlimit64, args) })
}

fn soft(resource: u32) -> Option<u64> {
    if filter::is_strict() {
        // As if there were none: the system refuses what is too much.
        return None;
    }
    let mut limit = [0; 2];
    // SAFETY: `limit` is ours to write.
    unsafe { change(0, resource as i32, core::ptr::null(), &mut limit) }.ok()?;
    (limit[0] != libc::RLIM_INFINITY).then_some(limit[0])
}

/// The bytes of address space that the process may have, if there is a limit.
pub fn address_space_max() -> Option<usize> {
    soft(libc::RLIMIT_AS).map(|bytes| bytes as usize)
}

/// The bytes that the process may lock into memory, if there is a limit.
pub fn locked_bytes_max() -> Option<u64> {
    soft(libc::RLIMIT_MEMLOCK)
}

/// Locks all of the process into memory (POSIX `mlockall`).
pub fn lock_all(flags: i32) -> Result<usize, i32> {
    // SAFETY: locking changes no contents.
    sys::checked(unsafe { sys::call(libc::SYS_mlockall, [flags as usize, 0, 0, 0, 0, 0]) })
}
