//! Memory: how much of it the process may count on. That is what the machine has, and what control groups and the limit of
//! address space leave of it.

use super::{limits, quota, sys};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The bytes that the process may have at most. They are read once: that takes several files, and limits hardly ever change.
pub fn bytes_max() -> usize {
    const UNREAD: usize = 0;
    static BYTES: AtomicUsize = AtomicUsize::new(UNREAD);
    // Relaxed: the number is all there is, and whoever reads it twice reads the same.
    match BYTES.load(Relaxed) {
        UNREAD => {
            let limits = [quota::memory_bytes(b""), limits::address_space_max()];
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

#[cfg(test)]
mod tests {
    extern crate std;

    #[test]
    fn the_machine_has_the_memory_that_the_kernel_shows() {
        let text = std::fs::read_to_string("/proc/meminfo").unwrap();
        let line = text.lines().find(|line| line.starts_with("MemTotal:")).unwrap();
        let kilobytes: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        assert_eq!(super::physical_bytes(), kilobytes * 1024);
        assert!((1..=kilobytes * 1024).contains(&super::bytes_max()));
    }
}
