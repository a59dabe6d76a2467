//! Why nothing is reclaimed from now on: the one place where that is decided, and said.
//!
//! Where it cannot be known that what looks unreachable is, everything is kept: the heap goes on as a plain malloc, and
//! collections, which could not take anything back, do not run. There is no way back from a reason of this list; a
//! collection that cannot be right just now is given up instead, and the next one asks again.
//!
//! Holds:   a collection that begins after [`stop_reclaiming`] has returned reclaims nothing; the caller sees to one that
//!          is under way.
//! Threads: any, at any time: also while the world is stopped, and in signal handlers.

use super::settings;
use crate::{
    base::sync::{AtomicU32, Ordering},
    os::log,
};
use core::fmt;

/// Why nothing may be reclaimed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason<'a> {
    /// A library that hides pointers was loaded when it was too late to treat it ([`super::hiding`]).
    HidesPointers(&'a str),
    /// More than can be followed is in the kernel's hands ([`super::held`], [`super::sent`]).
    CannotFollow(&'static str),
    /// A fork found a gate that did not open: what a thread was changing is half changed in the child.
    HalfForked,
    /// A process lives in our memory, is no thread of ours, and cannot be followed ([`super::world::sharers`]).
    SharesMemory,
    /// There is, or is about to be, a filter of system calls that what a collection calls may not pass
    /// ([`crate::os::filter`]).
    Filter,
    /// A library was opened that uses another malloc than the program, as the user has allowed.
    DeepBinding,
}

impl Reason<'_> {
    /// The kind of the reason, as a number.
    const fn number(&self) -> u32 {
        match self {
            Reason::HidesPointers(_) => 0,
            Reason::HalfForked => 1,
            Reason::SharesMemory => 2,
            Reason::Filter => 3,
            Reason::DeepBinding => 4,
            Reason::CannotFollow(_) => 5,
        }
    }
}

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::HidesPointers(library) => write!(f, "{library} hides pointers; preload it too"),
            Reason::CannotFollow(what) => write!(f, "the kernel holds more than can be followed: {what}"),
            Reason::HalfForked => f.write_str("a thread was changing the heap when this process was forked"),
            Reason::SharesMemory => {
                f.write_str("another process lives in the memory of this one, made by a bare system call")
            }
            Reason::DeepBinding => f.write_str("a library was opened with RTLD_DEEPBIND, and uses another malloc"),
            Reason::Filter => f.write_str("a filter of system calls would end the process in a collection"),
        }
    }
}

/// A set of reasons, a bit each.
struct Reasons(AtomicU32);

impl Reasons {
    /// `true`: it was not there yet.
    fn add(&self, reason: &Reason<'_>) -> bool {
        // Relaxed: see `are_any`.
        self.0.fetch_or(1 << reason.number(), Ordering::Relaxed) & 1 << reason.number() == 0
    }

    /// Relaxed: nothing else is published by the set, and who collects after another thread's stop has met it since.
    fn are_any(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }
}

static REASONS: Reasons = Reasons(AtomicU32::new(0));

/// From now on nothing is reclaimed. Says so when verbose, once for each kind of reason.
#[cold]
pub fn stop_reclaiming(reason: Reason<'_>) {
    if REASONS.add(&reason) && settings::verbose() {
        log::print(format_args!("gleaner: nothing is reclaimed from now on: {reason}"));
    }
}

/// Whether there is no reason to keep everything.
pub fn may_reclaim() -> bool {
    !REASONS.are_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_of_reason_is_new_once() {
        let reasons = Reasons(AtomicU32::new(0));
        assert!(!reasons.are_any());
        assert!(reasons.add(&Reason::HidesPointers("libone.so")) && reasons.are_any());
        assert!(!reasons.add(&Reason::HidesPointers("libtwo.so")));
        assert!(reasons.add(&Reason::HalfForked));
    }
}
