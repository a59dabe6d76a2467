//! Grace: an object is reclaimed only when several collections in a row, far enough apart, have found it unreachable.
//!
//! It covers addresses that are somewhere out of sight for a while: on their way through another process, in a form that
//! nobody knows, in the kernel by a call that is not followed. The price is what the program leaks meanwhile, and every
//! allocation and free by hand is a slow one: a slot that changes hands between two collections must not keep its age.
//!
//! An object that is young yet is marked and not scanned. What only such objects reach has been unreachable for as long as
//! they, and is kept by its own age. Weak references to what is kept stay.
//!
//! Holds:   no object is reclaimed before its age is the grace; see [`ages`].
//! Threads: the collecting thread, while the world is stopped.

use crate::{
    base::sync::{AtomicU32, AtomicU64, Ordering},
    heap::{ages, sweep, units, zeal},
    os::clock,
};

/// How many collections have to agree; one is how it is without a grace. Relaxed: set before the program runs.
static COLLECTIONS: AtomicU32 = AtomicU32::new(1);
/// How far they have to be apart.
static APART_NS: AtomicU64 = AtomicU64::new(0);
/// When objects last grew older.
static GROWN_NS: AtomicU64 = AtomicU64::new(0);

const SECOND_NS: u64 = 1_000_000_000;

/// Sets the grace: `collections` must agree, each at least `seconds` after the one before. `false`: more than can be counted.
pub fn set(collections: u32, seconds: u32) -> bool {
    if !(1..=ages::AGE_MAX).contains(&collections) {
        return false;
    }
    COLLECTIONS.store(collections, Ordering::Relaxed);
    APART_NS.store(u64::from(seconds) * SECOND_NS, Ordering::Relaxed);
    if collections > 1 {
        ages::keep();
        zeal::set_slow_path_only();
    }
    true
}

/// Whether there is a grace.
pub fn is_on() -> bool {
    ages::are_kept()
}

/// Marks what has not been marked and is too young to be reclaimed. Marking is done.
#[cold]
#[inline(never)]
pub(super) fn keep_young() {
    let has_ages = ages::make_room();
    let now_ns = clock::now_ns();
    let is_too_soon = GROWN_NS.load(Ordering::Relaxed) != 0
        && now_ns - GROWN_NS.load(Ordering::Relaxed) < APART_NS.load(Ordering::Relaxed);
    if !is_too_soon {
        GROWN_NS.store(now_ns, Ordering::Relaxed);
    }
    let age_max = COLLECTIONS.load(Ordering::Relaxed);
    sweep::for_each_allocated_word(
        |class| !class.kind().traits().is_uncollectable(),
        |_, unit, index, allocated| {
            let word = &units::words(unit)[index];
            let unreachable = allocated & !word.marked.load(Ordering::Relaxed);
            // Without memory for ages everything is kept.
            let old = if has_ages { ages::grow(unit, index, unreachable, age_max, is_too_soon) } else { 0 };
            word.marked.fetch_or(unreachable & !old, Ordering::Relaxed);
        },
    );
}
