//! Large objects to whose beginnings the program keeps pointers: those that lead beyond the first page keep none of them.
//!
//! They are of kinds of their own, which the program knows by the numbers of the ordinary ones. What fits into a page is
//! ordinary. So is what has an extra procedure or a descriptor, and what such an object becomes when its size is changed:
//! more is kept there than the program asks for.

use crate::{alloc, control};
use core::sync::atomic::{AtomicU8, Ordering};
use gleaner::{
    collect::{
        allocate::{self, Resized},
        displacement,
    },
    heap::{
        Request,
        kind::{Design, Kind, Words},
        resolve::Slot,
    },
};

const ORDINARY: [Kind; 2] = [Kind::SCANNED, Kind::POINTER_FREE];
/// The kinds that go with them; zero until they are made. Relaxed: the number is all there is.
static MADE: [AtomicU8; 2] = [const { AtomicU8::new(0) }; 2];

/// The kind of an object for `bytes` in place of an ordinary one.
pub fn kind_for(bytes: usize, kind: Kind) -> Kind {
    if bytes < displacement::END {
        return kind;
    }
    match ORDINARY.iter().position(|&ordinary| ordinary == kind) {
        Some(index) => made(index).unwrap_or(kind),
        None => kind,
    }
}

fn made(index: usize) -> Option<Kind> {
    let number = MADE[index].load(Ordering::Relaxed);
    if number != 0 {
        return Some(Kind::from_number(number));
    }
    control::settle();
    let traits = ORDINARY[index].traits();
    let words = if traits.may_hold_pointers() { Words::Any } else { Words::None };
    let kind = allocate::make_kind(Design { words, is_zeroed: traits.is_zeroed(), is_collected: true })?;
    displacement::know_by_beginning(kind);
    // Of two that are made at once one is never used.
    match MADE[index].compare_exchange(0, kind.number(), Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => Some(kind),
        Err(number) => Some(Kind::from_number(number)),
    }
}

/// The ordinary kind that a kind goes with, or itself.
pub fn ordinary(kind: Kind) -> Kind {
    let index = MADE.iter().position(|made| made.load(Ordering::Relaxed) == kind.number());
    index.filter(|_| kind != Kind::MALLOC).map_or(kind, |index| ORDINARY[index])
}

/// Changes the size of an object of such a kind: in place, or it becomes an ordinary one.
pub fn resize(slot: &Slot, bytes: usize) -> Resized {
    let usable = slot.usable_bytes();
    if bytes <= usable && bytes >= usable / 2 {
        return Resized::At(slot.start());
    }
    let Ok(moved) = allocate::allocate(&Request::new(bytes, ordinary(slot.class().kind()))) else {
        return Resized::NoMemory;
    };
    // SAFETY: both objects are in use, apart, and hold as many bytes; the old one is the caller's to give up.
    unsafe {
        core::ptr::copy_nonoverlapping(slot.start().as_ptr::<u8>(), moved.as_ptr::<u8>(), usable.min(bytes));
        alloc::GC_free(slot.start().as_ptr());
    }
    Resized::At(moved)
}
