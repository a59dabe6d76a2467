//! Polling: who waits looks again for a moment before it goes to sleep.
//!
//! A thread that sleeps leaves its processor idle, and to wake it takes longer than a collection of a tiny heap. So where
//! each thread can have a processor of its own, it looks for about as long as such a collection takes. Where threads
//! share a processor, whoever is waited for may need the very one that waits: nobody polls where the collector is, and
//! each place where polling fails polls ever less, but for a new try now and then.
//!
//! Holds: a wait costs at most `POLL_NS` of a processor's time more than without.

use super::{clock, cpus};
use crate::base::sync::{AtomicBool, AtomicU32, Ordering};

/// How long a thread may look.
const POLL_NS: u64 = 50_000;
/// How often it looks before it asks for the time.
const LOOKS: u32 = 16;
/// After so many failures a place tries again for the whole time.
const TRY_AGAIN: u32 = 32;

/// Relaxed throughout: what is here decides about time only.
static IS_ALLOWED: AtomicBool = AtomicBool::new(false);
static COLLECTORS_PROCESSOR: AtomicU32 = AtomicU32::new(0);

/// The calling thread is about to stop the others: whether there is a processor for each of `threads` threads.
pub fn allow(threads: usize) {
    IS_ALLOWED.store(threads > 1 && threads <= cpus::usable(), Ordering::Relaxed);
    COLLECTORS_PROCESSOR.store(cpus::current(), Ordering::Relaxed);
}

/// A place where threads wait, and how often in a row they have looked in vain.
pub struct Place {
    failures: AtomicU32,
}

impl Place {
    /// A place where nobody has waited yet.
    pub const fn new() -> Place {
        Place { failures: AtomicU32::new(0) }
    }

    /// For who waits for the collector: looks for a moment, if it is worth it. Whether it is done.
    pub fn look(&self, is_done: impl FnMut() -> bool) -> bool {
        let is_allowed = IS_ALLOWED.load(Ordering::Relaxed);
        is_allowed
            && cpus::current() != COLLECTORS_PROCESSOR.load(Ordering::Relaxed)
            && self.look_within(POLL_NS, is_done)
    }

    /// For the collector: looks for at most so long, if it is worth it. Whether it is done.
    pub fn look_as_collector(&self, ns: u64, is_done: impl FnMut() -> bool) -> bool {
        IS_ALLOWED.load(Ordering::Relaxed) && self.look_within(ns, is_done)
    }

    fn look_within(&self, ns: u64, mut is_done: impl FnMut() -> bool) -> bool {
        let failures = self.failures.load(Ordering::Relaxed);
        let ns = if failures.is_multiple_of(TRY_AGAIN) { ns } else { ns >> failures.min(TRY_AGAIN) };
        let start = clock::now_ns();
        loop {
            for _ in 0..LOOKS {
                if is_done() {
                    self.failures.store(0, Ordering::Relaxed);
                    return true;
                }
                core::hint::spin_loop();
            }
            if clock::now_ns() - start >= ns {
                self.failures.store(failures.wrapping_add(1), Ordering::Relaxed);
                return false;
            }
        }
    }
}
