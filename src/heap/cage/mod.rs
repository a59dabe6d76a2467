//! The cage: the address range that the heap lives in, cut into units of 64 KiB.
//!
//! Two bits say what a unit is:
//!
//! ```text
//!   unit        0 1 2 3 …
//!   used        1 1 0 1 …    taken by a block or a large object
//!   dirty       1 1 1 0 …    its pages may hold something; clear: known to be zero
//! ```
//!
//! Units are taken lowest address first, so that the heap stays dense and its upper end can be given back. A unit that is
//! free and dirty is *idle*: it holds pages for nobody. [`surplus`](super::surplus) decides how many of them go back to
//! the system.
//!
//! | room | its idea |
//! |---|---|
//! | here | units are taken and given |
//! | `spans` | which addresses are the heap's, and which unit each is |
//! | `room` | address space is reserved, committed and given back |
//! | `idle` | idle units are counted, and go back to the system |
//! | `executable` | programs may execute what they write |
//!
//! Holds:   every unit of a block or large object is used; used units are dirty; units past the frontier are unused.
//!          A unit that is being given back counts as used meanwhile, so nobody takes it, and has no class.
//! Threads: [`CAGE`] is a lock; what is read without it is in `spans`.

mod executable;
mod idle;
mod room;
mod spans;

use super::size_class::UNIT;
use crate::{
    base::addr::Addr,
    os::lock::{Lock, Rank},
};
use bitvec::{order::Lsb0, slice::BitSlice};
use core::ops::Range;

pub use executable::{protection, set_executable};
pub use idle::{Releasing, idle_units, taken_units};
pub use room::{bytes_max, units_max};
pub use spans::{
    MAP, Map, Unit, addr_of, committed_bytes, contains, first_span, for_each_committed, frontier, hull, reserved_hull,
    unit_of, unit_of_first_span,
};

type Bits = BitSlice<u64, Lsb0>;

/// The part of the cage behind its lock.
pub struct Cage {
    used: &'static mut Bits,
    dirty: &'static mut Bits,
    /// No unit below this one is free.
    lowest_free: Unit,
    units_max: Unit,
    /// Where the two bitmaps lie, and the distance between them.
    bitmaps: Addr,
    bitmap_bytes: usize,
    /// Bytes of each that are committed.
    bitmaps_committed: [usize; 2],
    /// How large the next span is to be.
    span_units: u32,
    used_units: u32,
    idle_units: u32,
    /// The fewest idle units since [`Cage::restart_low_water`].
    idle_low_water: u32,
    /// No unit from this one on is idle.
    idle_end: Unit,
    released_bytes: u64,
}

/// The cage. `None` before the first use and when the system refused to reserve it.
pub static CAGE: Lock<Option<Cage>> = Lock::new(Rank::Cage, None);

/// Units that were free and are now the caller's.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// The first of them.
    pub first: Unit,
    /// Whether all their bytes are known to be zero.
    pub is_zero: bool,
}

impl Cage {
    /// Takes `count` units whose first address is a multiple of `align` units, a power of two.
    pub fn take(&mut self, count: u32, align: u32) -> Option<Taken> {
        if count > self.units_max || align > self.units_max {
            return None;
        }
        let first = match self.find(count, align, frontier(), |_, _| None) {
            Some(first) => first,
            None => self.grow(count, align)?,
        };
        Some(self.take_found(first, count))
    }

    /// As [`take`](Cage::take), but idle units alone.
    pub fn take_idle(&mut self, count: u32, align: u32) -> Option<Taken> {
        if count > self.idle_units {
            return None;
        }
        let last_clean = |cage: &Cage, run: Range<usize>| cage.dirty[run].last_zero();
        let first = self.find(count, align, self.idle_end, last_clean)?;
        Some(self.take_found(first, count))
    }

    fn take_found(&mut self, first: Unit, count: u32) -> Taken {
        if first == self.lowest_free {
            self.lowest_free = first + count;
        }
        self.take_free(first, count)
    }

    /// Takes the units from `first` on if they are all free: a large object grows where it is.
    pub fn take_at(&mut self, first: Unit, count: u32) -> Option<Taken> {
        let (from, to) = (first as usize, (first + count) as usize);
        if first + count > frontier() || self.used[from..to].any() {
            return None;
        }
        Some(self.take_free(first, count))
    }

    fn take_free(&mut self, first: Unit, count: u32) -> Taken {
        let (from, to) = (first as usize, (first + count) as usize);
        let idle = self.dirty[from..to].count_ones() as u32;
        self.used[from..to].fill(true);
        self.dirty[from..to].fill(true);
        self.used_units += count;
        idle::count_taken(count);
        self.set_idle(self.idle_units - idle);
        Taken { first, is_zero: idle == 0 }
    }

    /// Gives units back. Their pages stay for a while, in case they are taken again soon.
    pub fn give(&mut self, first: Unit, count: u32) {
        let (from, to) = (first as usize, (first + count) as usize);
        debug_assert!(self.used[from..to].all(), "gave units back that were not taken");
        self.used[from..to].fill(false);
        self.used_units -= count;
        self.lowest_free = self.lowest_free.min(first);
        self.idle_end = self.idle_end.max(first + count);
        self.set_idle(self.idle_units + count);
    }

    /// The lowest run of `count` free units below `end` in which `unfit` finds none; it says where in a run the last is.
    fn find(
        &mut self,
        count: u32,
        align: u32,
        end: Unit,
        unfit: impl Fn(&Cage, Range<usize>) -> Option<usize>,
    ) -> Option<Unit> {
        let end = end as usize;
        let (count, align) = (count as usize, align as usize);
        let mut from = self.lowest_free as usize;
        let mut first_look = true;
        loop {
            from += self.used[from.min(end)..end].first_zero()?;
            if first_look {
                self.lowest_free = from as Unit;
                first_look = false;
            }
            let span = spans::of_unit(from as Unit);
            let aligned = span.next_aligned(from as Unit, align as u32) as usize;
            if aligned >= span.end() as usize {
                from = span.end() as usize;
                continue;
            }
            from = aligned;
            if from + count > end {
                return None;
            }
            let run = from..from + count;
            match self.used[run.clone()].last_one().or_else(|| unfit(self, run)) {
                None => return Some(from as Unit),
                Some(last) => from += last + 1,
            }
        }
    }

    /// Bytes in units that are used now.
    pub fn used_bytes(&self) -> usize {
        self.used_units as usize * UNIT
    }

    /// Bytes in units that have pages: those that are used, and idle ones.
    pub fn held_bytes(&self) -> usize {
        (self.used_units + self.idle_units) as usize * UNIT
    }

    /// Whether a unit is taken.
    pub fn is_used(&self, unit: Unit) -> bool {
        self.used[unit as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::{ensure_reserved, units};

    #[test]
    fn idle_units_are_taken_again_and_where_there_are_too_few_none_is() {
        assert!(ensure_reserved());
        let mut cage = CAGE.lock();
        let cage = cage.as_mut().unwrap();
        let first = cage.take(8, 8).expect("room").first;
        cage.give(first, 8);
        assert!(cage.take_idle(cage.idle_units + 1, 1).is_none());
        for (count, align) in [(3, 1), (4, 4), (1, 1)] {
            let idle = cage.idle_units;
            let taken = cage.take_idle(count, align).expect("idle units");
            assert!(!taken.is_zero && taken.first.is_multiple_of(align));
            assert_eq!((taken.first + count <= cage.idle_end, cage.idle_units), (true, idle - count));
            assert!((taken.first..taken.first + count).all(|unit| units::class_of(unit) == units::Class::FREE));
            cage.give(taken.first, count);
        }
    }
}
