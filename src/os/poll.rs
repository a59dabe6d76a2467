//! Polling: who waits looks again for a moment before it goes to sleep.
//!
//! A thread that sleeps leaves its processor idle, and to wake that takes longer than a collection of a small heap. So it
//! looks for about as long as such a collection takes. Where there are more threads than processors, whoever is waited for
//! may need the very processor of the one that waits: between two looks that one lets others run, which is a call of the
//! system for nothing where nobody wants to. Nobody waits for the collector so on its own processor, and each place
//! where polling fails polls ever less, but for a new try now and then.
//!
//! Holds: a wait costs at most `POLL_NS` of a processor's time more than without.

use super::{clock, cpus, thread};
use crate::base::sync::{AtomicU32, Ordering};

/// How long a thread may look.
const POLL_NS: u64 = 200_000;
/// How often it looks before it asks for the time.
const LOOKS: u32 = 16;
/// After so many failures a place tries again for the whole time.
const TRY_AGAIN: u32 = 32;

/// Relaxed throughout: what is here decides about time only.
static MANNER: AtomicU32 = AtomicU32::new(NEVER);
static COLLECTORS_PROCESSOR: AtomicU32 = AtomicU32::new(0);

/// [`MANNER`]: there is one processor, or nobody to wait for.
const NEVER: u32 = 0;
/// Each thread can have a processor of its own.
const ALONE: u32 = 1;
/// Threads share processors.
const IN_TURN: u32 = 2;

/// The calling thread is about to stop the others, so many threads in all.
pub fn allow(threads: usize) {
    let usable = cpus::usable();
    let manner = match threads > 1 && usable > 1 {
        false => NEVER,
        true if threads <= usable => ALONE,
        true => IN_TURN,
    };
    MANNER.store(manner, Ordering::Relaxed);
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
        let manner = MANNER.load(Ordering::Relaxed);
        manner != NEVER
            && cpus::current() != COLLECTORS_PROCESSOR.load(Ordering::Relaxed)
            && self.look_within(POLL_NS, manner, is_done)
    }

    /// For the collector: looks for at most so long, if it is worth it. Whether it is done.
    pub fn look_as_collector(&self, ns: u64, is_done: impl FnMut() -> bool) -> bool {
        let manner = MANNER.load(Ordering::Relaxed);
        manner != NEVER && self.look_within(ns, manner, is_done)
    }

    fn look_within(&self, ns: u64, manner: u32, mut is_done: impl FnMut() -> bool) -> bool {
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
            if manner == IN_TURN {
                thread::yield_now();
            }
        }
    }
}
