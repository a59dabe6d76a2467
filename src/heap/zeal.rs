//! Zeal: settings that make rare things common, for tests and for hunting a bug.
//!
//! Each makes the slow path run for every operation, so that it can count, check or fill.

use crate::base::sync::{AtomicBool, AtomicU32, Ordering};

static SLOW_PATH_ONLY: AtomicBool = AtomicBool::new(false);
static POISON: AtomicBool = AtomicBool::new(false);
static COLLECT_EVERY: AtomicU32 = AtomicU32::new(0);
static ALLOCATIONS: AtomicU32 = AtomicU32::new(0);

/// The byte that poisoned free slots are filled with.
pub const POISON_BYTE: u8 = 0xfd;

/// Makes magazines hold nothing, from the next class that a thread uses on. Before the first allocation.
pub fn set_slow_path_only() {
    SLOW_PATH_ONLY.store(true, Ordering::Relaxed);
}

/// Whether magazines hold nothing.
#[inline]
pub fn is_slow_path_only() -> bool {
    SLOW_PATH_ONLY.load(Ordering::Relaxed)
}

/// Fills freed slots with [`POISON_BYTE`] from now on. Needs the slow path.
pub fn set_poison() {
    POISON.store(true, Ordering::Relaxed);
    set_slow_path_only();
}

/// Whether freed slots are filled.
pub fn is_poisoning() -> bool {
    POISON.load(Ordering::Relaxed)
}

/// Makes a collection due at every `every`-th allocation. Needs the slow path.
pub fn set_collect_every(every: u32) {
    COLLECT_EVERY.store(every, Ordering::Relaxed);
    if every != 0 {
        set_slow_path_only();
    }
}

/// Counts an allocation on the slow path: whether zeal wants a collection now.
#[inline]
pub fn wants_collection() -> bool {
    let every = COLLECT_EVERY.load(Ordering::Relaxed);
    every != 0 && (ALLOCATIONS.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(every)
}
