//! Limits of the process, by raw system calls: the C library's functions may be the ones that a door wraps.

use super::{quota, sys};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

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
    let mut limit = [0; 2];
    // SAFETY: `limit` is ours to write.
    unsafe { change(0, resource as i32, core::ptr::null(), &mut limit) }.ok()?;
    (limit[0] != libc::RLIM_INFINITY).then_some(limit[0])
}

/// The bytes of address space that the process may have, if there is a limit.
pub fn address_space_max() -> Option<usize> {
    soft(libc::RLIMIT_AS).map(|bytes| bytes as usize)
}

/// The bytes of memory that the process may count on at most: those of the machine, and what its control groups and its
/// address space leave of them. They are read once: that takes several files, and limits hardly ever change.
pub fn memory_bytes() -> usize {
    const UNREAD: usize = 0;
    static BYTES: AtomicUsize = AtomicUsize::new(UNREAD);
    // Relaxed: the number is all there is, and whoever reads it twice reads the same.
    match BYTES.load(Relaxed) {
        UNREAD => {
            let limits = [quota::memory_bytes(b""), address_space_max()];
            let bytes = limits.into_iter().flatten().fold(physical_bytes(), usize::min).max(1);
            BYTES.store(bytes, Relaxed);
            bytes
        }
        bytes => bytes,
    }
}

/// The memory of the machine (Linux's `sysinfo`).
fn physical_bytes() -> usize {
    let mut info = core::mem::MaybeUninit::<libc::sysinfo>::zeroed();
    // SAFETY: the kernel writes into `info` only.
    let outcome = sys::checked(unsafe { sys::call(libc::SYS_sysinfo, [info.as_mut_ptr() as usize, 0, 0, 0, 0, 0]) });
    // SAFETY: numbers, of which zero is one.
    let info = unsafe { info.assume_init() };
    outcome.map_or(usize::MAX, |_| (info.totalram as usize).saturating_mul(info.mem_unit as usize))
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

#[cfg(test)]
mod tests {
    extern crate std;

    #[test]
    fn the_machine_has_the_memory_that_the_kernel_shows() {
        let text = std::fs::read_to_string("/proc/meminfo").unwrap();
        let line = text.lines().find(|line| line.starts_with("MemTotal:")).unwrap();
        let kilobytes: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        assert_eq!(super::physical_bytes(), kilobytes * 1024);
        assert!((1..=kilobytes * 1024).contains(&super::memory_bytes()));
    }
}
