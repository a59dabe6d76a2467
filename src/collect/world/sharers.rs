//! Processes that live in our memory without being threads of ours: made by `clone` with `CLONE_VM` alone.
//!
//! The kernel's list of our threads does not have them, and our signal cannot stop them, so while there is one no
//! collection is right. There are few, and they end soon, as a rule: a collection is given up, and the next asks again.
//! One that cannot be followed, because nobody told us its id, ends reclaiming for good ([`reports`]).
//!
//! A `vfork` child is not among them: its maker cannot answer a stop.
//!
//! Holds:   a process is being made or in the table from before it runs until it has left our memory.
//! Threads: any; the makers of two processes at once, too. Who collects asks after the stop: a maker that it has stopped
//!          is in [`Making`].

use crate::{
    base::sync::{AtomicU32, Ordering},
    collect::{
        reports::{self, Reason},
        roots::blind::{Place, is_blind},
    },
    os::sys,
};

/// How many makers are at it. Relaxed throughout: the maker stands still when it counts, or has met the collector's stop.
static MAKING: AtomicU32 = AtomicU32::new(0);
/// The processes, by their ids; zero: a free place.
static SHARERS: [AtomicU32; 16] = [const { AtomicU32::new(0) }; 16];

/// A process is being made.
pub struct Making(());

impl Making {
    /// Before the call.
    pub fn begin() -> Making {
        MAKING.fetch_add(1, Ordering::Relaxed);
        Making(())
    }

    /// After it: the process has this id, if there is one.
    pub fn end(self, process: Option<u32>) {
        if let Some(process) = process {
            let take = |place: &AtomicU32| {
                let former = place.load(Ordering::Relaxed);
                let is_free = former == 0 || !sys::shares_memory_with(former);
                is_free && place.compare_exchange(former, process, Ordering::Relaxed, Ordering::Relaxed).is_ok()
            };
            if !SHARERS.iter().any(take) {
                reports::stop_reclaiming(Reason::SharesMemory);
            }
        }
        MAKING.fetch_sub(1, Ordering::Release);
    }
}

/// A process that lives in our memory now; while one is being made, its maker.
pub fn any() -> Option<u32> {
    if is_blind(Place::Sharers) {
        return None;
    }
    // Acquire: pairs with the Release of `Making::end`: who finds it over sees the process in the table.
    if MAKING.load(Ordering::Acquire) != 0 {
        return Some(sys::process_id());
    }
    SHARERS.iter().find_map(|place| {
        let process = place.load(Ordering::Relaxed);
        if process == 0 {
            return None;
        }
        if sys::shares_memory_with(process) {
            return Some(process);
        }
        // Another maker may have taken the place meanwhile.
        let _ = place.compare_exchange(process, 0, Ordering::Relaxed, Ordering::Relaxed);
        None
    })
}

/// A copy of this process shares its memory with nobody.
pub fn forget() {
    SHARERS.iter().for_each(|place| place.store(0, Ordering::Relaxed));
    MAKING.store(0, Ordering::Relaxed);
}

/// Flags of `clone`.
const CLONE_VM: u64 = 0x100;
const CLONE_VFORK: u64 = 0x4000;
const CLONE_THREAD: u64 = 0x1_0000;

/// Whether `clone` with these flags makes a process in our memory that runs beside its maker.
pub fn is_made_by(flags: u64) -> bool {
    flags & (CLONE_VM | CLONE_VFORK | CLONE_THREAD) == CLONE_VM
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    #[test]
    fn threads_and_vfork_children_are_no_sharers() {
        const SIGNAL: u64 = 17;
        assert!(is_made_by(CLONE_VM | SIGNAL));
        assert!(!is_made_by(CLONE_VM | CLONE_THREAD) && !is_made_by(CLONE_VM | CLONE_VFORK) && !is_made_by(SIGNAL));
    }

    #[test]
    fn a_process_of_its_own_memory_is_no_sharer() {
        assert!(sys::shares_memory_with(sys::process_id()));
        let mut other = std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().expect("cat");
        assert!(!sys::shares_memory_with(other.id()));
        drop(other.stdin.take());
        other.wait().expect("it ends with its input");
        assert!(!sys::shares_memory_with(u32::MAX / 2));
    }
}
