//! Emergency memory: for a signal handler or a panic that allocates while its thread is inside a slow path, or collects.
//!
//! POSIX does not let a handler call `malloc`; programs do. The heap's structures are then half changed, and the thread
//! may hold any of its locks, so the handler is served from a small range that is only ever cut from. It is a root. What
//! was cut off last and is freed can be cut off again, so that a handler that frees what it took leaves nothing behind,
//! however often it runs; all else that is freed stays: a leak instead of a crash.
//!
//! Holds: what is not cut off is zero.

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
        let end = end_of(from, bytes)?;
        (start != 0 && end <= BYTES && align <= mem::PAGE).then_some((from, end))
    };
    // The update is one step, and what it cuts off is nobody else's. Acquire: pairs with the Release of `free`.
    let used = USED.fetch_update(Ordering::Acquire, Ordering::Relaxed, |used| Some(place(used)?.1)).ok()?;
    let object = Addr::new(start + place(used)?.0);
    // SAFETY: cut off just now, with room for the word before it.
    unsafe { (Addr::new(object.get() - size_of::<usize>())).as_ptr::<usize>().write(bytes) };
    Some(object)
}

/// Where an object of `bytes` at the offset `from` ends: a word before a multiple of [`GRANULE`], so that the next begins there.
fn end_of(from: usize, bytes: usize) -> Option<usize> {
    Some(
        from.checked_add(bytes.max(1))?.checked_add(size_of::<usize>())?.checked_next_multiple_of(GRANULE)?
            - size_of::<usize>(),
    )
}

/// Takes the memory at `address`, in [`range`], back if it was cut off last; else it stays. Nobody uses it any more.
pub fn free(address: Addr) -> bool {
    // Only what is not the start of an object has another alignment.
    if !address.get().is_multiple_of(GRANULE) {
        return false;
    }
    let start = START.load(Ordering::Acquire);
    let (from, bytes) = (address.get() - start, usable_bytes(address));
    let Some(end) = end_of(from, bytes).filter(|end| *end == USED.load(Ordering::Relaxed)) else { return false };
    let before = from - size_of::<usize>();
    // SAFETY: the caller gives it up, so until `USED` says otherwise it is this thread's, with the word before it.
    unsafe { Addr::new(start + before).as_ptr::<u8>().write_bytes(0, end - before) };
    // Release: pairs with the Acquire of `allocate`, whose object is zero. Should another have been cut off behind it, it stays.
    USED.compare_exchange(end, before, Ordering::Release, Ordering::Relaxed).is_ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    /// One test, as no other may use the range meanwhile.
    #[test]
    fn what_is_freed_in_the_reverse_order_is_cut_off_again() {
        if START.load(Ordering::Relaxed) == 0 {
            reserve();
        }
        for round in 0..10_000 {
            let objects =
                [40 + round % 1000, 0, 3000, 17].map(|bytes| (allocate(bytes, 16).expect("there is room"), bytes));
            for (object, bytes) in objects.iter().rev() {
                assert_eq!(usable_bytes(*object), *bytes);
                // SAFETY: as large as that, and this test's own.
                let contents = unsafe { core::slice::from_raw_parts_mut(object.as_ptr::<u8>(), *bytes) };
                assert!(contents.iter().all(|byte| *byte == 0), "round {round}");
                contents.fill(7);
                assert!(!free(Addr::new(object.get() + 8)), "that is no object");
                assert!(free(*object), "round {round}");
            }
        }
        let [below, above] = [(); 2].map(|()| allocate(100, 16).expect("there is room"));
        assert!(!free(below), "it was not cut off last");
        assert!(free(above));
    }
}
