//! Late frees: under memcheck, freed slots wait before they are handed out again.
//!
//! A use after free is seen as long as the slot is nobody else's. So a thread keeps what it frees, of all classes, in
//! the order of the frees, and gives the older half back when it is too much.
//!
//! Holds:   a slot that waits is cached, like one in a magazine: its bit says allocated, it is marked by a collection and
//!          never scanned, and it waits once.
//! Threads: as for magazines. The owner writes, in its gate; a collector reads after the owner has stopped, and gives
//!          the slots of a thread that is gone back.

use super::{
    flush,
    gate::Inside,
    large,
    mutator::Mutator,
    resolve::{self, Slot},
};
use crate::{base::addr::Addr, os::mem};
use core::cell::UnsafeCell;

const SLOTS_MAX: usize = 4096;
const BYTES_MAX: usize = 4 << 20;

/// See the module's documentation. An all-zero value is a valid one, without memory.
#[repr(C)]
pub struct Late {
    first: UnsafeCell<*mut usize>,
    count: UnsafeCell<usize>,
    bytes: UnsafeCell<usize>,
}

impl Late {
    /// The slots that wait, the one freed first first.
    ///
    /// # Safety
    /// The caller is the owner in its gate, or the owner is stopped or gone. The slice is dead once that changes.
    pub unsafe fn slots(&self) -> &[usize] {
        // SAFETY: the array has `count` slots; by the caller's promise nobody changes it.
        unsafe {
            match (*self.first.get()).is_null() {
                true => &[],
                false => core::slice::from_raw_parts(*self.first.get(), *self.count.get()),
            }
        }
    }

    /// `false`: the system refuses the memory for the array.
    ///
    /// # Safety
    /// The caller is the owner in its gate, and gives the slot up.
    unsafe fn push(&self, slot: &Slot) -> bool {
        // SAFETY: the owner writes its own fields; `free` keeps the count below the array's length.
        unsafe {
            let first = &mut *self.first.get();
            if first.is_null() {
                let Some(array) = mem::map(SLOTS_MAX * size_of::<usize>()) else { return false };
                *first = array.as_ptr();
            }
            first.add(*self.count.get()).write(slot.start().get());
            *self.count.get() += 1;
            *self.bytes.get() += slot.bytes();
        }
        true
    }

    /// Gives the `count` slots back that have waited longest.
    ///
    /// # Safety
    /// The caller is the owner in its gate, or stands in for one that is gone.
    unsafe fn give(&self, count: usize) {
        // SAFETY: by the caller's promise nobody else uses the array, and it has `count` slots.
        unsafe {
            for &slot in &self.slots()[..count] {
                let Some(slot) = resolve::locate(Addr::new(slot)) else { continue };
                *self.bytes.get() -= slot.bytes();
                give_one(&slot);
            }
            let rest = *self.count.get() - count;
            if rest != 0 {
                let first = *self.first.get();
                first.copy_from(first.add(count), rest);
            }
            *self.count.get() = rest;
        }
    }
}

fn give_one(slot: &Slot) {
    if slot.class().is_large() {
        large::give(slot);
    } else {
        // It was freed once: its header says so at the second.
        let _ = flush::give_slots(slot.class(), &[slot.start().get()]);
    }
}

/// Frees a slot: it waits, and others that have waited long enough do not any more.
pub fn free(inside: &Inside<'_>, slot: &Slot) {
    let late = &inside.mutator().late;
    // SAFETY: the owner, in its gate; the caller gives the slot up.
    unsafe {
        if !late.push(slot) {
            return give_one(slot);
        }
        while *late.count.get() == SLOTS_MAX || *late.bytes.get() > BYTES_MAX {
            late.give(late.slots().len().div_ceil(2));
        }
    }
}

/// Gives everything back that waits in a record.
///
/// # Safety
/// The caller is the owner in its gate, or the owner is gone and nobody else uses the record.
pub unsafe fn give_all(mutator: &Mutator) {
    // SAFETY: by the caller's promise.
    unsafe { mutator.late.give(mutator.late.slots().len()) };
}
