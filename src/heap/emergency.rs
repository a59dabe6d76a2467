//! Emergency memory: for a signal handler that allocates while its thread is inside a slow path.
//!
//! POSIX does not let a handler call `malloc`; programs do. The heap's structures are then half changed, and the thread
//! may hold any of its locks, so the handler is served from a small range that is only ever cut from. It is a root, and
//! what is freed in it stays: a leak, counted, instead of a crash.

use crate::{
    base::{
        addr::{Addr, Range},
        sync::{AtomicUsize, Ordering},
    },
    os::mem,
};

const BYTES: usize = 1 << 20;
const ALIGN: usize = 64;

static START: AtomicUsize = AtomicUsize::new(0);
static USED: AtomicUsize = AtomicUsize::new(0);

pub(super) fn reserve() {
    // Without it a handler in a slow path gets null, which `malloc` may answer.
    START.store(mem::map(BYTES).map_or(0, Addr::get), Ordering::Release);
}

/// Cuts `bytes` zero bytes off, at a multiple of 64. `None` when it is used up or was never granted.
pub fn allocate(bytes: usize) -> Option<Addr> {
    let start = START.load(Ordering::Acquire);
    let needed = bytes.max(1).checked_next_multiple_of(ALIGN).filter(|&needed| start != 0 && needed <= BYTES)?;
    let from = USED
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| (used + needed <= BYTES).then_some(used + needed));
    from.ok().map(|from| Addr::new(start + from))
}

/// The part in use.
pub fn range() -> Range {
    let start = Addr::new(START.load(Ordering::Acquire));
    Range::sized(start, if start.is_null() { 0 } else { USED.load(Ordering::Relaxed) })
}
