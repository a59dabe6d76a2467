//! Monotonic time. The C library answers from the vDSO: no system call, no lock.

/// Nanoseconds of `CLOCK_MONOTONIC`.
pub fn now_ns() -> u64 {
    read(libc::CLOCK_MONOTONIC)
}

/// Nanoseconds of `CLOCK_MONOTONIC_COARSE`: cheaper, a few milliseconds behind at most.
pub fn coarse_ns() -> u64 {
    read(libc::CLOCK_MONOTONIC_COARSE)
}

/// Nanoseconds that the calling thread has had a processor.
pub fn thread_ns() -> u64 {
    read(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// Whether a time of [`now_ns`] has come. The exact clock is asked only where the coarse one may be too far behind.
pub fn is_past(time_ns: u64) -> bool {
    const BEHIND_MAX_NS: u64 = 20_000_000;
    let coarse = coarse_ns();
    coarse >= time_ns || time_ns - coarse < BEHIND_MAX_NS && now_ns() >= time_ns
}

fn read(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is ours; these clocks exist on every supported kernel.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
