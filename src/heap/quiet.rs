//! Quiet blocks: those that nobody takes slots from any more. The sweep gives their free pages back to the system.
//!
//! A class that a program uses little has a block all the same, and one that was full before has pages for all of it. A
//! program uses some dozens of classes, so that in a small heap most of the memory can lie there.
//!
//! ```text
//!   sweep          1    2    3    4    5
//!   free slots   900  940  940  940  940
//!   quiet          0    0    1    2    3      now pages without a slot in use are given back, once
//! ```
//!
//! The address space stays the class's. What is taken there again comes in fresh pages, which cost some 0.3 us each: so a
//! block is quiet for some collections first, and few are looked at in one.
//!
//! Holds:   only pages are given back in which no slot is in use or cached.
//! Threads: the world is stopped.

use super::{
    cage::{self, Unit},
    size_class::{Shape, UNIT},
    units, zeal,
};
use crate::{
    base::{
        addr::Range,
        bits,
        sync::{AtomicBool, Ordering},
    },
    os::{mem, memcheck},
};

/// So many collections in turn a block is quiet.
const COLLECTIONS: u32 = 3;
/// Of one unit, so many pages in a row are worth a call of the system.
const PAGES_MIN: usize = 4;
const PAGES: usize = UNIT / mem::PAGE;
/// Blocks that one sweep looks at for their pages.
const LOOKS_MAX: u32 = 4;

/// Whether pages are given back at all.
static IS_ON: AtomicBool = AtomicBool::new(false);

/// From now on pages of quiet blocks are given back, or no more.
pub fn set_on(is_on: bool) {
    // Relaxed: a sweep that misses it does as before.
    IS_ON.store(is_on, Ordering::Relaxed);
}

/// What one sweep has left to do.
pub struct Quiet {
    looks: u32,
}

impl Quiet {
    /// For a sweep that begins.
    pub fn begin() -> Quiet {
        // What is poisoned, or watched by memcheck, keeps what it holds.
        let is_on = IS_ON.load(Ordering::Relaxed) && !zeal::is_poisoning() && !memcheck::is_running();
        Quiet { looks: if is_on { LOOKS_MAX } else { 0 } }
    }

    /// A block is about to be swept, after which `in_use` of its slots are in use.
    #[inline]
    pub fn note(&mut self, unit: Unit, shape: &Shape, in_use: u32) {
        if self.looks == 0 || shape.units != 1 {
            return;
        }
        let (block, free) = (units::block(unit), shape.slots - in_use);
        // Relaxed: the world is stopped.
        let is_as_before = block.free.load(Ordering::Relaxed) == block.free_before.load(Ordering::Relaxed);
        let quiet = if is_as_before { block.quiet.load(Ordering::Relaxed).saturating_add(1) } else { 0 };
        block.free_before.store(free, Ordering::Relaxed);
        block.quiet.store(quiet, Ordering::Relaxed);
        if quiet == COLLECTIONS {
            self.looks -= 1;
            give_pages_back(unit, shape);
        }
    }
}

/// Gives the pages of a swept block back that no slot in use lies in.
#[cold]
#[unsafe(link_section = ".text.hot")]
fn give_pages_back(unit: Unit, shape: &Shape) {
    let mut used = 0;
    for (index, word) in units::words(unit)[..shape.words()].iter().enumerate() {
        bits::for_each_bit(word.allocated.load(Ordering::Relaxed), |bit| {
            used |= pages_of(shape, index * 64 + bit);
        });
    }
    let start = cage::addr_of(unit);
    bits::for_each_run(!used & bits::low_mask(PAGES), |first, length| {
        if length >= PAGES_MIN {
            // If the system refuses, they keep what they hold.
            mem::decommit(Range::sized(start + first * mem::PAGE, length * mem::PAGE));
        }
    });
}

/// The pages that a slot of a block lies in, a bit each.
fn pages_of(shape: &Shape, slot: usize) -> u64 {
    let bytes = shape.slot_bytes as usize;
    let (first, last) = (slot * bytes / mem::PAGE, ((slot + 1) * bytes - 1) / mem::PAGE);
    bits::low_mask(last + 1) & !bits::low_mask(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::size_class::{self, SHAPES};

    #[test]
    fn the_pages_of_a_slot_are_those_that_its_bytes_lie_in() {
        let pages = |bytes, slot| pages_of(&SHAPES[size_class::of(bytes)], slot);
        assert_eq!([pages(16, 0), pages(16, 255), pages(16, 256), pages(16, 4095)], [1, 1, 2, 1 << 15]);
        assert_eq!([pages(4096, 0), pages(4096, 3), pages(8192, 2)], [1, 8, 0x30]);
        assert_eq!([pages(5120, 0), pages(5120, 1), pages(48, 85)], [3, 6, 3]);
    }
}
