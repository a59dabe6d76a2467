//! Room: address space is reserved, committed and given back.
//!
//! One range is reserved at start, far larger than most programs need, and committed from its front in steps. Where the
//! system grants only little (`ulimit -v`, valgrind) more ranges, *spans*, are reserved when the first is full.
//!
//! Holds:   what is committed of a span has its side entries and bits committed before it; the last unit of a span is
//!          never taken.
//! Threads: under the cage's lock.

use super::{
    Bits, Cage, Unit, frontier,
    spans::{self, SPAN_ALIGN_UNITS, SPAN_BYTES_MAX, SPANS_MAX, Span},
};
use crate::heap::{size_class::UNIT, units};
use crate::{
    base::{
        addr::Range,
        sync::{AtomicU32, Ordering},
    },
    os::{limits, mem},
};
use bitvec::slice::BitSlice;

const SPAN_BYTES_MIN: usize = 4 << 20;
const COMMIT_STEP_UNITS: u32 = (4 << 20) / UNIT as u32;

/// How many units there can be, over all spans.
static UNITS_MAX: AtomicU32 = AtomicU32::new(0);

/// How many units there can be, over all spans.
pub fn units_max() -> Unit {
    UNITS_MAX.load(Ordering::Relaxed)
}

/// No object is larger: no collection can make room for it.
pub fn bytes_max() -> usize {
    UNITS_MAX.load(Ordering::Relaxed) as usize * UNIT
}

impl Cage {
    /// Reserves the first span and the side arrays. `None` when not even the smallest is granted.
    pub fn reserve() -> Option<Cage> {
        let limit = limits::address_space_max();
        let mut bytes = limit.map_or(SPAN_BYTES_MAX, |limit| (limit / 4).min(SPAN_BYTES_MAX)).next_power_of_two();
        while bytes >= SPAN_BYTES_MIN {
            // Room in the numbering for more spans, where the first is small.
            let numbered =
                if bytes == SPAN_BYTES_MAX { bytes } else { limit.map_or(bytes * 8, |limit| limit.max(bytes)) };
            if let Some(cage) = Cage::try_reserve(bytes, numbered.div_ceil(UNIT)) {
                return Some(cage);
            }
            bytes /= 2;
        }
        None
    }

    fn try_reserve(bytes: usize, units_max: usize) -> Option<Cage> {
        let units_max = units_max.next_multiple_of(SPAN_ALIGN_UNITS as usize);
        let start = mem::reserve(bytes, SPAN_ALIGN_UNITS as usize * UNIT)?;
        let bitmap_bytes = (units_max / 8).next_multiple_of(mem::PAGE);
        let Some(bitmaps) = mem::reserve(2 * bitmap_bytes, mem::PAGE) else {
            mem::release(start, bytes);
            return None;
        };
        if !units::reserve(units_max) {
            mem::release(start, bytes);
            mem::release(bitmaps, 2 * bitmap_bytes);
            return None;
        }
        let bitmap = |index: usize| -> &'static mut Bits {
            let words = (bitmaps + index * bitmap_bytes).as_ptr::<u64>();
            // SAFETY: each bitmap has its own part, which is looked at below the frontier only, where it is committed;
            // fresh pages are zero.
            BitSlice::from_slice_mut(unsafe { core::slice::from_raw_parts_mut(words, units_max.div_ceil(64)) })
        };
        let cage = Cage {
            used: bitmap(0),
            dirty: bitmap(1),
            lowest_free: 0,
            units_max: units_max as Unit,
            bitmaps,
            bitmap_bytes,
            bitmaps_committed: [0; 2],
            span_units: (bytes / UNIT) as u32,
            used_units: 0,
            idle_units: 0,
            idle_low_water: 0,
            idle_end: 0,
            released_bytes: 0,
        };
        UNITS_MAX.store(units_max as Unit, Ordering::Relaxed);
        spans::add(start, bytes / UNIT, 0);
        Some(cage)
    }

    /// Commits more of the last span, or reserves another, so that `count` units fit at the end.
    #[unsafe(link_section = ".text.hot")]
    pub(super) fn grow(&mut self, count: u32, align: u32) -> Option<Unit> {
        let frontier = frontier();
        // A free run at the end counts; the rest is committed.
        let free_tail = self.used[..frontier as usize].trailing_zeros() as u32;
        let span = self.last_span();
        let first = span.next_aligned(frontier - free_tail.min(frontier - span.first()), align);
        // The last unit of a span stays unused, so that no run crosses into the next.
        let end = span.end() - 1;
        if first + count > end {
            return self.add_another_span(count, align);
        }
        let wanted = (first + count).max((frontier + COMMIT_STEP_UNITS).min(end));
        let enough = self.commit_to(wanted) || self.commit_to(first + count);
        enough.then_some(first)
    }

    fn add_another_span(&mut self, count: u32, align: u32) -> Option<Unit> {
        let first = self.last_span().end();
        let least = (count + align).next_multiple_of(SPAN_ALIGN_UNITS);
        let room = self.units_max.checked_sub(first)?;
        if spans::all().len() == SPANS_MAX || least > room {
            return None;
        }
        let mut units = self.span_units.min(room) / SPAN_ALIGN_UNITS * SPAN_ALIGN_UNITS;
        loop {
            units = units.max(least);
            if let Some(start) = mem::reserve(units as usize * UNIT, SPAN_ALIGN_UNITS as usize * UNIT) {
                // The numbers that the last span reserved and never committed stay out of reach.
                let gap = frontier()..first;
                if !self.commit_bitmaps(gap.end) || !units::commit(gap.end) {
                    mem::release(start, units as usize * UNIT);
                    return None;
                }
                self.used[gap.start as usize..gap.end as usize].fill(true);
                spans::add(start, units as usize, first);
                return self.grow(count, align);
            }
            if units == least {
                return None;
            }
            units /= 2;
            units = units / SPAN_ALIGN_UNITS * SPAN_ALIGN_UNITS;
        }
    }

    /// Commits units of the last span up to number `end`, with all that is kept about them.
    #[unsafe(link_section = ".text.hot")]
    fn commit_to(&mut self, end: Unit) -> bool {
        self.commit_bitmaps(end) && spans::commit_to(end)
    }

    #[unsafe(link_section = ".text.hot")]
    fn commit_bitmaps(&mut self, end: Unit) -> bool {
        let bytes = (end as usize).div_ceil(8).next_multiple_of(mem::PAGE);
        (0..2).all(|index| {
            let bitmap = self.bitmaps + index * self.bitmap_bytes;
            let missing = Range::new(bitmap + self.bitmaps_committed[index], bitmap + bytes);
            let granted = missing.is_empty() || mem::commit(missing);
            if granted {
                self.bitmaps_committed[index] = self.bitmaps_committed[index].max(bytes);
            }
            granted
        })
    }

    /// Gives address space back that is reserved only, should there be more than `bytes`, with which the process is to make
    /// do; so much can still be reserved later, in spans. `false`: there was none to give.
    pub fn fit(&mut self, bytes: usize) -> bool {
        let reserved: usize = spans::all().iter().map(|span| span.units() as usize).sum();
        if reserved * UNIT <= bytes {
            return false;
        }
        let align = SPAN_ALIGN_UNITS as usize;
        let span = self.last_span();
        // One more than is committed: the last unit of a span stays unused.
        let kept = (frontier() - span.first() + 1).next_multiple_of(SPAN_ALIGN_UNITS);
        let room = (2 * (bytes / UNIT)).next_multiple_of(align);
        let units_max = (self.units_max as usize).min((span.first() + kept) as usize + room) as Unit;
        if kept >= span.units() && units_max >= self.units_max || !span.shorten(kept) {
            return false;
        }
        units::give_back_beyond(units_max, self.units_max);
        self.give_bitmaps_back_beyond(units_max);
        self.units_max = units_max;
        UNITS_MAX.store(units_max, Ordering::Relaxed);
        self.span_units = ((bytes / UNIT / 8).next_multiple_of(align) as u32).min(self.span_units);
        true
    }

    fn give_bitmaps_back_beyond(&mut self, units_max: Unit) {
        for index in 0..2 {
            let bitmap = self.bitmaps + index * self.bitmap_bytes;
            let tail = Range::new((bitmap + units_max as usize / 8).align_up(mem::PAGE), bitmap + self.bitmap_bytes);
            // What cannot be given back stays reserved and unused.
            if !tail.is_empty() && mem::release_part(tail) {
                self.bitmaps_committed[index] = self.bitmaps_committed[index].min(tail.start - bitmap);
            }
        }
    }

    fn last_span(&self) -> &'static Span {
        spans::all().last().expect("made with the first")
    }
}
