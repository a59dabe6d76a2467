//! Emergency memory: for a signal handler or a panic that allocates while its thread is inside a slow path, or collects.
//!
//! POSIX does not let a handler call `malloc`; programs do. The heap's structures are then half changed, and the thread
//! may hold any of its locks, so the handler is served from a small range that is only ever cut from. It is a root, and
//! what is freed in it stays: a leak instead of a crash.

use super::size_class::GRANULE;
use crate::{
    base::{
        addr::{Addr, Range},
        sync::{AtomicUsize, Ordering},
    },
    os::mem,
};

const BYTES: usize = 1 << 20;

static START: AtomicUsize = AtomicUsize::new(0);
static USED: AtomicUsize = AtomicUsize::new(0);

pub(super) fn reserve() {
    // Without it a handler in a slow path gets null, which `malloc` may answer.
    START.store(mem::map(BYTES).map_or(0, Addr::get), Ordering::Release);
}

/// Cuts `bytes` zero bytes off, at a multiple of `align`. `None` when it is used up or was never granted.
pub fn allocate(bytes: usize, align: usize) -> Option<Addr> {
    // Acquire: pairs with the Release of `reserve`.
    let start = START.load(Ordering::Acquire);
    let place = |used: usize| {
        // Its size stands in the word before it.
        let from = used.checked_add(size_of::<usize>())?.checked_next_multiple_of(align.max(GRANULE))?;
        let end = from.checked_add(bytes.max(1))?.checked_next_multiple_of(size_of::<usize>())?;
        (start != 0 && end <= BYTES && align <= mem::PAGE).then_some((from, end))
    };
    // Relaxed: the update is one step, and what it cuts off is nobody else's.
    let used = USED.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| Some(place(used)?.1)).ok()?;
    let object = Addr::new(start + place(used)?.0);
    // SAFETY: cut off just now, with room for the word before it.
    unsafe { (Addr::new(object.get() - size_of::<usize>())).as_ptr::<usize>().write(bytes) };
    Some(object)
}

/// The bytes of the memory at `address`, which [`allocate`] gave.
pub fn usable_bytes(address: Addr) -> usize {
    // SAFETY: by the caller's promise the size stands before it.
    unsafe { Addr::new(address.get() - size_of::<usize>()).as_ptr::<usize>().read() }
}

/// The part in use.
pub fn range() -> Range {
    let start = Addr::new(START.load(Ordering::Acquire));
    Range::sized(start, if start.is_null() { 0 } else { USED.load(Ordering::Relaxed) })
}
