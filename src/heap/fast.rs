//! The fast paths: an allocation that finds a slot in its thread's magazine, a free that finds room there.
//!
//! Every door comes in here, and does with a refusal what suits it: the slow path, a callback, an exception. What is
//! refused has changed nothing.
//!
//! ```text
//!   pop    bytes ------> size class --+                                            the word below top
//!                                     +--> magazine of this thread, this class -->
//!   push   address -> unit -> class --+                                            the word at top
//! ```
//!
//! *The order.* [`magazine`](super::magazine) argues the last step, the only one that changes anything. What comes
//! before it may be interrupted anywhere: it reads the class of a unit that holds an object in use, which nobody changes
//! meanwhile, for the caller has the object's address in a register; the unit map, which only grows; and the thread's
//! own record. A thread without a record, or in a safe region, is refused both. Where a kind promises
//! zero, a slot is cleared before it is put in, and only when there is room: until then it is the caller's object.
//!
//! Threads: any. Nothing is locked, nothing waits, nothing is called but `memset`.

use super::{
    cage::{self, Unit},
    kind::Kind,
    mutator, resolve, size_class,
    units::{self, Class},
};
use crate::{
    base::{
        addr::Addr,
        sync::{AtomicUsize, Ordering},
    },
    os::memcheck,
};
use core::ptr;

/// Why a free by hand has to take the slow path; zero: none need.
static REASONS: AtomicUsize = AtomicUsize::new(0);

/// An object has something attached: a free of one that begins in the same unit has to look for it.
const ATTACHED: usize = 1;
/// The heap has a surplus, and a free is to look whether its time has come: see [`surplus`](super::surplus).
const SURPLUS: usize = 2;

/// Whether a free of an object that begins in `unit` takes the slow path.
#[inline(always)]
fn is_free_slow(unit: Unit) -> bool {
    // Relaxed: see `may_be_attached`; the other reason may come late or go late.
    match REASONS.load(Ordering::Relaxed) {
        0 => false,
        ATTACHED => units::may_be_attached(unit),
        _ => true,
    }
}

/// Whether a free has to look whether something is attached to the object that begins at `object`.
pub fn may_be_attached(object: Addr) -> bool {
    // Relaxed: the thread that frees an object has it from the one that attached something, by the program's own
    // synchronisation, or is that thread; so it sees the change made below. A collection stands between what it takes away
    // and any free.
    REASONS.load(Ordering::Relaxed) & ATTACHED != 0 && cage::unit_of(object).is_some_and(units::may_be_attached)
}

/// Something is going to be attached to the object at `object`: from now on its free takes the slow path, and so does that of
/// any other that begins in the same unit. The caller is inside its gate until it is attached, or stands in for all threads.
pub fn note_attached(object: Addr) {
    if let Some(unit) = cage::unit_of(object) {
        units::note_attached(unit);
        REASONS.fetch_or(ATTACHED, Ordering::Relaxed);
    }
}

/// Nothing is attached to any object, until that is noted anew. `false`: nothing was. The world is stopped.
pub fn forget_attached() -> bool {
    let was_attached = REASONS.fetch_and(!ATTACHED, Ordering::Relaxed) & ATTACHED != 0;
    if was_attached {
        units::forget_attached(cage::frontier());
    }
    was_attached
}

/// Whether frees look at the surplus.
pub(super) fn is_surplus_watched() -> bool {
    REASONS.load(Ordering::Relaxed) & SURPLUS != 0
}

/// Has every free take the slow path and look at the surplus, or no more.
pub(super) fn watch_surplus(watched: bool) {
    if watched {
        REASONS.fetch_or(SURPLUS, Ordering::Relaxed);
    } else {
        REASONS.fetch_and(!SURPLUS, Ordering::Relaxed);
    }
}

/// Takes a slot for `bytes` of `kind`, all of which may be used. Null: the slow path has to.
#[inline(always)]
pub fn pop(bytes: usize, kind: Kind) -> *mut u8 {
    if bytes > size_class::TABLE_BYTES_MAX { ptr::null_mut() } else { pop_of(kind, size_class::of_small(bytes)) }
}

/// Takes a slot for `bytes` of `malloc`'s kind and the one past their end. Null: the slow path has to.
#[inline(always)]
pub fn pop_for_malloc(bytes: usize) -> *mut u8 {
    if bytes >= size_class::TABLE_BYTES_MAX {
        return ptr::null_mut();
    }
    pop_of(Kind::MALLOC, size_class::of_small_and_one_more(bytes))
}

#[inline(always)]
fn pop_of(kind: Kind, size_class: usize) -> *mut u8 {
    let Some(mutator) = mutator::current() else { return ptr::null_mut() };
    // SAFETY: the calling thread's magazine.
    unsafe { mutator.magazine(Class::small(kind, size_class)).pop() }
}

/// Gives up the object at `address` if it is of `malloc`'s kind and its block is one unit of the heap's first span: most
/// are. `false`: [`push`] has to look, and nothing has changed.
///
/// # Safety
/// As for [`push`].
#[inline(always)]
pub unsafe fn push_of_malloc(address: Addr) -> bool {
    let Some(unit) = cage::unit_of_first_span(address) else { return false };
    let class = units::class_of(unit);
    let is_slot = class.is_of_malloc() && size_class::is_start_in_unit(class.size_class(), address.get());
    if !is_slot || is_free_slow(unit) {
        return false;
    }
    let Some(mutator) = mutator::current() else { return false };
    // SAFETY: the calling thread's magazine, and a slot of its class that the caller gives up.
    unsafe { mutator.magazine(class).push(address.as_ptr()) }
}

/// Bytes that may be used of the object at `address`, if it is of `malloc`'s kind and its block is one unit of the heap's
/// first span. `None`: whoever asks has to look. As in a free, that the object is in use is the caller's word: to look it
/// up would be a load of a line of bits that nobody else is about to need.
#[inline(always)]
pub fn usable_bytes_of_malloc(address: Addr) -> Option<usize> {
    let class = units::class_of(cage::unit_of_first_span(address)?);
    let is_slot = class.is_of_malloc() && size_class::is_start_in_unit(class.size_class(), address.get());
    // Memcheck is told of what may be used from now on.
    let is_known = is_slot && !memcheck::is_running();
    is_known.then(|| resolve::usable_bytes(Kind::MALLOC, class.shape().slot_bytes as usize))
}

/// Gives up the object at `address`, of any kind. `false`: the slow path has to look, and nothing has changed.
///
/// # Safety
/// The caller gives up what is at `address`, if it is an object.
#[inline(always)]
pub unsafe fn push(address: Addr) -> bool {
    let Some(unit) = cage::unit_of(address) else { return false };
    let Some(class) = class_of_slot(address, unit).filter(|_| !is_free_slow(unit)) else { return false };
    let Some(mutator) = mutator::current() else { return false };
    let magazine = mutator.magazine(class);
    if class.kind().traits().is_zeroed() {
        if magazine.is_full() {
            return false;
        }
        // SAFETY: a slot of this size starts here, and the caller gives it up.
        unsafe { clear(address, class.shape().slot_bytes as usize) };
    }
    // SAFETY: the calling thread's magazine, and a slot of its class.
    unsafe { magazine.push(address.as_ptr()) }
}

/// The class of the small slot that starts at `address`, in `unit`, if one does.
#[inline(always)]
fn class_of_slot(address: Addr, unit: Unit) -> Option<Class> {
    let class = units::class_of(unit);
    let shape = class.shape();
    let offset = address.get() & shape.block_mask as usize;
    // What is no class of slots has a shape in which nothing is a start.
    let is_slot = offset.is_multiple_of(size_class::GRANULE) && shape.is_slot_start(offset);
    is_slot.then_some(class)
}

/// Small slots are cleared without a branch on their size: a program that frees objects of several sizes does so in an order
/// that no processor foretells, and a wrong guess costs more than stores that turn out to be to the same place.
const CLEARED_AT_ONCE: usize = 8 * size_class::GRANULE;

/// Makes a slot zero.
///
/// # Safety
/// A slot of `bytes` starts here, and it is the caller's.
#[inline(always)]
unsafe fn clear(slot: Addr, bytes: usize) {
    if bytes > CLEARED_AT_ONCE {
        // SAFETY: by the caller's promise.
        return unsafe { ptr::write_bytes(slot.as_ptr::<u8>(), 0, bytes) };
    }
    let last = bytes - size_class::GRANULE;
    for offset in (0..CLEARED_AT_ONCE).step_by(size_class::GRANULE) {
        // SAFETY: a granule of the slot, which begins and ends with one.
        unsafe { (slot + offset.min(last)).as_ptr::<[u64; 2]>().write([0, 0]) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_cleared_whatever_its_size_and_nothing_behind_it() {
        const BYTES: usize = 4 * CLEARED_AT_ONCE;
        for bytes in (size_class::GRANULE..BYTES).step_by(size_class::GRANULE) {
            let mut memory = [u64::MAX; BYTES / 8];
            // SAFETY: so many bytes of ours.
            unsafe { clear(Addr::of(memory.as_mut_ptr()), bytes) };
            let cleared = memory.iter().take_while(|&&word| word == 0).count();
            let kept = memory.iter().rev().take_while(|&&word| word == u64::MAX).count();
            assert_eq!((cleared * 8, (cleared + kept) * 8), (bytes, BYTES));
        }
    }
}
