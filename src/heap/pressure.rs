//! What the collector's trigger and the statistics count: bytes handed out and taken back.
//!
//! A thread counts in its record and adds to the heap's counter when it has a fair amount, so that the counter's cache
//! line is written once for many refills. The counter runs behind by at most 16 KiB a thread.
//!
//! Relaxed throughout: figures that stand for themselves. A collection that comes a little late or early is right too.

use super::mutator::Mutator;
use crate::{
    base::sync::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering},
    os::clock,
};

/// Net bytes handed out since the last collection.
static SPENT: AtomicI64 = AtomicI64::new(0);
/// The counter from which on a collection is due once its time has come, and the one at which it is due at once.
static SOFT: AtomicI64 = AtomicI64::new(i64::MAX);
static HARD: AtomicI64 = AtomicI64::new(i64::MAX);
/// The counter from which on the heap is collected before it takes more memory from the system, once the collection's time
/// has come, and the one from which on it is at once.
static GROWTH: AtomicI64 = AtomicI64::new(i64::MAX);
static GROWTH_HARD: AtomicI64 = AtomicI64::new(i64::MAX);
/// Bytes up to which the heap grows all the same.
static EXPECTED_BYTES: AtomicUsize = AtomicUsize::new(0);
/// When the next collection's time has come.
static NOT_BEFORE_NS: AtomicU64 = AtomicU64::new(0);
/// Bytes of units that the heap may take; `usize::MAX` when there is no limit.
static LIMIT_BYTES: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Whether anything has ever been handed out.
static STARTED: AtomicBool = AtomicBool::new(false);

const BATCH_BYTES: i64 = 16 << 10;

/// A refill or large allocation handed out `bytes`.
#[inline]
pub fn note_allocated(mutator: &Mutator, bytes: usize) {
    // Written once, so that its line is not taken from the other threads at each refill.
    if !STARTED.load(Ordering::Relaxed) {
        STARTED.store(true, Ordering::Relaxed);
    }
    let total = mutator.allocated_bytes.load(Ordering::Relaxed) + bytes as u64;
    mutator.allocated_bytes.store(total, Ordering::Relaxed);
    note_net(mutator, bytes as i64);
}

/// A flush or large free took `bytes` back.
#[inline]
pub fn note_freed(mutator: &Mutator, bytes: usize) {
    let total = mutator.freed_bytes.load(Ordering::Relaxed) + bytes as u64;
    mutator.freed_bytes.store(total, Ordering::Relaxed);
    note_net(mutator, -(bytes as i64));
}

#[inline]
fn note_net(mutator: &Mutator, bytes: i64) {
    let net = mutator.net_bytes.load(Ordering::Relaxed) + bytes;
    if net.abs() < BATCH_BYTES {
        mutator.net_bytes.store(net, Ordering::Relaxed);
    } else {
        mutator.net_bytes.store(0, Ordering::Relaxed);
        SPENT.fetch_add(net, Ordering::Relaxed);
    }
}

/// Whether the next collection is due.
#[inline]
pub fn is_due() -> bool {
    let spent = SPENT.load(Ordering::Relaxed);
    spent >= SOFT.load(Ordering::Relaxed) && (spent >= HARD.load(Ordering::Relaxed) || is_time())
}

/// Whether a third more has been handed out than at most may be until the next collection.
pub fn is_overdue() -> bool {
    SPENT.load(Ordering::Relaxed) / 4 * 3 >= HARD.load(Ordering::Relaxed)
}

/// Sets up to how many bytes the heap grows whether it is to be collected before or not.
pub fn set_expected_bytes(bytes: usize) {
    EXPECTED_BYTES.store(bytes, Ordering::Relaxed);
}

/// Whether a heap that has taken `held_bytes` from the system is to be collected before it takes more.
#[inline]
pub fn is_growth_withheld(held_bytes: usize) -> bool {
    is_growth_due() && held_bytes >= EXPECTED_BYTES.load(Ordering::Relaxed)
}

/// Whether the heap is to be collected before it takes more memory from the system, unless it is expected to.
#[inline]
pub fn is_growth_due() -> bool {
    let spent = SPENT.load(Ordering::Relaxed);
    spent >= GROWTH.load(Ordering::Relaxed) && (spent >= GROWTH_HARD.load(Ordering::Relaxed) || is_time())
}

/// Until the next collection the heap is to grow by no more than so many bytes without that.
pub fn bound_growth(bytes: usize) {
    let bytes = bytes.min(i64::MAX as usize) as i64;
    GROWTH.fetch_min(bytes, Ordering::Relaxed);
    GROWTH_HARD.fetch_min(bytes, Ordering::Relaxed);
}

/// Lets the heap grow without that for so many bytes more.
pub fn let_grow(bytes: usize) {
    let bytes = SPENT.load(Ordering::Relaxed).saturating_add(bytes as i64);
    GROWTH.fetch_max(bytes, Ordering::Relaxed);
    GROWTH_HARD.fetch_max(bytes, Ordering::Relaxed);
}

#[cold]
#[unsafe(link_section = ".text.hot")]
fn is_time() -> bool {
    clock::is_past(NOT_BEFORE_NS.load(Ordering::Relaxed))
}

/// Net bytes handed out since [`restart`].
pub fn spent() -> i64 {
    SPENT.load(Ordering::Relaxed)
}

/// When the next collection is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    /// Bytes handed out, net, from which on it is due once its time has come.
    pub soft_bytes: usize,
    /// Bytes at which it is due whatever the time.
    pub hard_bytes: usize,
    /// Its time, monotonic.
    pub not_before_ns: u64,
    /// Bytes from which on it is due as soon as the heap would have to grow, once its time has come.
    pub growth_bytes: usize,
    /// Bytes from which on it is then, whatever the time.
    pub growth_hard_bytes: usize,
}

/// Starts counting anew.
pub fn restart(budget: &Budget) {
    SPENT.store(0, Ordering::Relaxed);
    SOFT.store(budget.soft_bytes.min(i64::MAX as usize) as i64, Ordering::Relaxed);
    HARD.store(budget.hard_bytes.min(i64::MAX as usize) as i64, Ordering::Relaxed);
    NOT_BEFORE_NS.store(budget.not_before_ns, Ordering::Relaxed);
    GROWTH.store(budget.growth_bytes.min(i64::MAX as usize) as i64, Ordering::Relaxed);
    GROWTH_HARD.store(budget.growth_hard_bytes.min(i64::MAX as usize) as i64, Ordering::Relaxed);
}

/// Raises the budget until the next collection to at least so many bytes.
pub fn raise(bytes: usize) {
    let bytes = bytes.min(i64::MAX as usize) as i64;
    SOFT.fetch_max(bytes, Ordering::Relaxed);
    HARD.fetch_max(bytes, Ordering::Relaxed);
}

/// Whether anything has ever been handed out.
pub fn has_started() -> bool {
    STARTED.load(Ordering::Relaxed)
}

/// The bytes of units that the heap may take.
pub fn limit_bytes() -> usize {
    LIMIT_BYTES.load(Ordering::Relaxed)
}

/// Sets what [`limit_bytes`] says.
pub fn set_limit_bytes(bytes: usize) {
    LIMIT_BYTES.store(bytes, Ordering::Relaxed);
}
