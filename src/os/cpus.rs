//! Processors: how many this thread may run on.

use super::sys;

/// The processors that the calling thread may run on, at least one (`sched_getaffinity`).
pub fn usable() -> usize {
    // Room for 8,192 processors, which is the most that Linux can be built for.
    let mut mask = [0u64; 128];
    let args = [0, size_of_val(&mask), mask.as_mut_ptr() as usize, 0, 0, 0];
    // SAFETY: the kernel writes into `mask` only.
    let written = sys::checked(unsafe { sys::call(libc::SYS_sched_getaffinity, args) }).unwrap_or(0);
    let words = &mask[..written.min(size_of_val(&mask)) / size_of::<u64>()];
    words.iter().map(|word| word.count_ones() as usize).sum::<usize>().max(1)
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
        assert_eq!(super::usable(), std::thread::available_parallelism().unwrap().get());
    }
}
