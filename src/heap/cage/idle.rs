//! Idle units: free, and with pages that hold something. How many there are, and how they go back to the system.
//!
//! Their pages stay for a while, in case the units are taken again soon. The highest go first, for they would be taken last.
//! Giving them back takes three steps, and the system is asked in the second, without the lock:
//!
//! ```text
//!   begin   the highest run of them becomes used, so that nobody takes it
//!   give    its pages go back to the system
//!   end     it is free again; clean if the system has taken the pages
//! ```
//!
//! Holds:   the count is that of the units that are dirty and not used; none of them lies at or past `idle_end`.
//! Threads: under the cage's lock, but for the figures that are read without it.

use super::{Cage, Unit, spans::addr_of};
use crate::heap::{size_class::UNIT, units};
use crate::{
    base::{
        addr::Range,
        sync::{AtomicU32, Ordering},
    },
    os::mem,
};

/// How many units are idle, for who cannot take the lock to learn that there are few. Written under the lock.
static IDLE_UNITS: AtomicU32 = AtomicU32::new(0);

/// Units taken so far, modulo 2^32. Written under the lock.
static TAKEN_UNITS: AtomicU32 = AtomicU32::new(0);

/// So many more have been taken.
pub(super) fn count_taken(units: u32) {
    TAKEN_UNITS.store(taken_units().wrapping_add(units), Ordering::Relaxed);
}

/// How many units have been taken so far, modulo 2^32.
pub fn taken_units() -> u32 {
    // Relaxed: as in `idle_units`.
    TAKEN_UNITS.load(Ordering::Relaxed)
}

/// Units that hold pages for nobody. Without the lock it is the figure of a moment.
#[inline(always)]
pub fn idle_units() -> u32 {
    // Relaxed: a figure that stands for itself.
    IDLE_UNITS.load(Ordering::Relaxed)
}

impl Cage {
    /// There are so many of them now.
    pub(super) fn set_idle(&mut self, units: u32) {
        self.idle_units = units;
        self.idle_low_water = self.idle_low_water.min(units);
        IDLE_UNITS.store(units, Ordering::Relaxed);
    }

    /// Starts [`Cage::restart_low_water`]'s figure anew, and says what it was: so many units have been idle since.
    pub fn restart_low_water(&mut self) -> u32 {
        core::mem::replace(&mut self.idle_low_water, self.idle_units)
    }

    /// Bytes given back to the system so far.
    pub fn released_bytes(&self) -> u64 {
        self.released_bytes
    }

    /// Takes the highest run of idle units, at most `units_max` of them, whose pages the caller gives back to the system.
    pub fn begin_release(&mut self, units_max: u32) -> Option<Releasing> {
        if self.idle_units == 0 {
            return None;
        }
        let end = self.last_idle()? + 1;
        let from = end.saturating_sub(units_max);
        let is_idle = |cage: &Cage, unit: Unit| cage.dirty[unit as usize] && !cage.used[unit as usize];
        let mut first = end;
        while first > from && is_idle(self, first - 1) {
            first -= 1;
        }
        self.used[first as usize..end as usize].fill(true);
        self.idle_end = first;
        self.set_idle(self.idle_units - (end - first));
        Some(Releasing { first, count: end - first })
    }

    /// The highest idle unit.
    fn last_idle(&self) -> Option<Unit> {
        let words = (self.idle_end as usize).div_ceil(64);
        // Whole words: neither bitmap has a first or last part.
        let (_, used, _) = self.used[..words * 64].domain().region()?;
        let (_, dirty, _) = self.dirty[..words * 64].domain().region()?;
        let word = (0..words).rev().find(|&word| dirty[word] & !used[word] != 0)?;
        Some(word as Unit * 64 + (dirty[word] & !used[word]).ilog2())
    }

    /// Makes units free again whose pages the system has back if `is_zero`.
    pub fn end_release(&mut self, released: Releasing, is_zero: bool) {
        let Releasing { first, count } = released;
        let (from, to) = (first as usize, (first + count) as usize);
        self.used[from..to].fill(false);
        self.lowest_free = self.lowest_free.min(first);
        if is_zero {
            self.dirty[from..to].fill(false);
            self.released_bytes += (count as usize * UNIT) as u64;
        } else {
            self.idle_end = self.idle_end.max(first + count);
            self.set_idle(self.idle_units + count);
        }
    }
}

/// Idle units on their way to the system.
#[must_use]
pub struct Releasing {
    first: Unit,
    count: u32,
}

impl Releasing {
    /// How many they are.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Gives their pages back, and the whole pages of their bit words: taking a unit sets them. `false`: the system
    /// refuses, and they are as they were.
    pub fn give_pages_back(&self) -> bool {
        // A run of dirty units lies in one span: the last unit of a span is never taken.
        let released = mem::decommit(Range::sized(addr_of(self.first), self.count as usize * UNIT));
        if released {
            units::forget_bits(self.first, self.count);
        }
        released
    }
}
