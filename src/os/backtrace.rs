//! Backtraces: where the calls of a thread return to, by the C library's unwinder.
//!
//! The C library loads it at the first call, and needs nothing of the loader after that: so it is called once beforehand
//! where later calls may come from a signal handler.

use core::ffi::{c_int, c_void};

/// The most calls that are found.
pub const DEPTH: usize = 48;

unsafe extern "C" {
    fn backtrace(addresses: *mut *mut c_void, count: c_int) -> c_int;
}

/// Return addresses, the innermost first.
pub struct Backtrace {
    addresses: [usize; DEPTH],
    count: usize,
}

impl Backtrace {
    /// The calling thread's. Outside all gates: the first call allocates.
    #[inline(never)]
    pub fn take() -> Backtrace {
        let mut addresses = [0; DEPTH];
        // SAFETY: there is room for so many.
        let count = unsafe { backtrace(addresses.as_mut_ptr().cast(), DEPTH as c_int) };
        Backtrace { addresses, count: count.max(0) as usize }
    }

    /// One that begins at `address`: what the calling thread has called since is left out. That address alone where the
    /// unwinder does not come past it.
    pub fn take_from(address: usize) -> Backtrace {
        let mut trace = Backtrace::take();
        match trace.calls().iter().position(|&found| found == address) {
            Some(first) => {
                trace.addresses.copy_within(first..trace.count, 0);
                trace.count -= first;
            }
            None => {
                trace.addresses[0] = address;
                trace.count = 1;
            }
        }
        trace
    }

    /// The addresses.
    pub fn calls(&self) -> &[usize] {
        &self.addresses[..self.count]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[inline(never)]
    fn deeper(depth: usize) -> Backtrace {
        if depth == 0 { Backtrace::take() } else { core::hint::black_box(deeper(depth - 1)) }
    }

    #[test]
    fn each_call_is_one_address_more() {
        let (short, long) = (deeper(1), deeper(5));
        assert_eq!(long.calls().len() - short.calls().len(), 4);
    }

    #[test]
    fn what_was_called_since_is_left_out() {
        let all = Backtrace::take();
        // The first return to `take` and to here, which is elsewhere in the next call; a sanitizer has one of its own before.
        const OUTER: usize = 4;
        let outer = all.calls()[OUTER];
        assert_eq!(Backtrace::take_from(outer).calls(), &all.calls()[OUTER..]);
        assert_eq!(Backtrace::take_from(1).calls(), [1]);
    }
}
