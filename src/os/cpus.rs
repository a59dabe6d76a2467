//! Processors: how many this thread can keep busy, and on which one it runs.
//!
//! Two things bound them: the processors that it may run on, and the CPU time that its control groups are granted. A program
//! with half a processor's worth of time gains nothing by a second thread: both would use up the quota sooner, and stand
//! still together until the next period.

use super::{quota, sys};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The processors that the calling thread may use at once, at least one.
pub fn usable() -> usize {
    permitted().min(granted())
}

/// Those that it may run on (`sched_getaffinity`).
fn permitted() -> usize {
    // Room for 8,192 processors, which is the most that Linux can be built for.
    let mut mask = [0u64; 128];
    let args = [0, size_of_val(&mask), mask.as_mut_ptr() as usize, 0, 0, 0];
    // SAFETY: the kernel writes into `mask` only.
    let written = sys::checked(unsafe { sys::call(libc::SYS_sched_getaffinity, args) }).unwrap_or(0);
    let words = &mask[..written.min(size_of_val(&mask)) / size_of::<u64>()];
    words.iter().map(|word| word.count_ones() as usize).sum::<usize>().max(1)
}

/// Those that the quota is worth. It is read once: that takes several files, and quotas hardly ever change.
fn granted() -> usize {
    const UNREAD: usize = 0;
    static GRANTED: AtomicUsize = AtomicUsize::new(UNREAD);
    // Relaxed: the number is all there is, and whoever reads it twice reads the same.
    match GRANTED.load(Relaxed) {
        UNREAD => {
            let granted = quota::processors(b"").unwrap_or(usize::MAX);
            GRANTED.store(granted, Relaxed);
            granted
        }
        granted => granted,
    }
}

/// The number of the processor that the calling thread runs on.
pub fn current() -> u32 {
    // SAFETY: reads a number; the C library asks no system call for it.
    unsafe { libc::sched_getcpu() as u32 }
}

#[cfg(test)]
mod tests {
    extern crate std;

    #[test]
    fn there_are_as_many_as_the_library_says() {
        // A quota of one and a half is one there, and two here.
        let there = std::thread::available_parallelism().unwrap().get();
        let here = super::usable();
        assert!(here == there || here == there + 1, "{here} here, {there} there");
    }
}
