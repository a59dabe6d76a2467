//! The cage: the address range that the heap lives in, cut into units of 64 KiB.
//!
//! One range is reserved at start, far larger than most programs need, and committed from its front in steps. "Is this
//! word ours?" is then one subtraction and one comparison. Where the system grants only little (`ulimit -v`, valgrind)
//! more ranges, *spans*, are reserved when the first is full; they continue the numbering of units and are looked at in
//! a cold branch.
//!
//! ```text
//!   span 0    [ unit 0 | unit 1 | … | committed ▏ reserved only …            ]
//!   used        1 1 0 1 …    taken by a block or a large object
//!   dirty       1 1 1 0 …    its pages may hold something; clear: known to be zero
//! ```
//!
//! Units are taken lowest address first, so that the heap stays dense and its upper end can be given back. A unit that is
//! free and dirty is *idle*: it holds pages for nobody. [`surplus`](super::surplus) decides how many of them go back to
//! the system; the highest go first, for they would be taken last.
//!
//! Holds:   every unit of a block or large object is used; used units are dirty; units past the frontier are unused.
//!          A unit that is being given back counts as used meanwhile, so nobody takes it, and has no class.
//! Threads: `CAGE` is a lock; [`MAP`] is written under it and read by anybody.

use super::size_class::{UNIT, UNIT_SHIFT};
use super::units;
use crate::{
    base::{
        addr::{Addr, Range},
        sync::{AtomicU32, AtomicUsize, Ordering},
    },
    os::{
        limits,
        lock::{Lock, Rank},
        mem, memcheck,
    },
};
use bitvec::{order::Lsb0, slice::BitSlice};

/// A unit's number.
pub type Unit = u32;

/// What the fast paths read of the cage: it changes rarely.
#[repr(C, align(64))]
pub struct Map {
    /// The first address of the first span.
    pub base: AtomicUsize,
    /// Bytes committed in the first span: a word's distance from `base` below this is an address of ours.
    pub limit: AtomicUsize,
    /// The side arrays: see [`units`].
    pub classes: AtomicUsize,
    /// A counter array per unit.
    pub blocks: AtomicUsize,
    /// Bit words per unit.
    pub bits: AtomicUsize,
    /// A unit number per unit.
    pub heads: AtomicUsize,
    /// A byte per unit: whether the marker has to come back to it.
    pub unscanned: AtomicUsize,
    /// Units numbered so far, over all spans: the side arrays are valid below it.
    pub frontier: AtomicU32,
    /// How many spans there are.
    pub spans: AtomicU32,
}

/// See [`Map`].
pub static MAP: Map = Map {
    base: AtomicUsize::new(0),
    limit: AtomicUsize::new(0),
    classes: AtomicUsize::new(0),
    blocks: AtomicUsize::new(0),
    bits: AtomicUsize::new(0),
    heads: AtomicUsize::new(0),
    unscanned: AtomicUsize::new(0),
    frontier: AtomicU32::new(0),
    spans: AtomicU32::new(0),
};

const SPANS_MAX: usize = 64;
const SPAN_BYTES_MAX: usize = 1 << 40;
const SPAN_BYTES_MIN: usize = 4 << 20;
/// Spans and their first units are aligned to this many units, so a block's alignment is the same in both.
const SPAN_ALIGN_UNITS: u32 = 64;
const COMMIT_STEP_UNITS: u32 = (4 << 20) / UNIT as u32;

struct Span {
    start: AtomicUsize,
    units: AtomicU32,
    committed: AtomicU32,
    first: AtomicU32,
}

impl Span {
    /// The unit number after its last one.
    fn end(&self) -> Unit {
        self.first.load(Ordering::Relaxed) + self.units.load(Ordering::Relaxed)
    }

    /// The first unit from `unit` on, which is one of the span's, whose address is a multiple of `align` units. It may
    /// lie past the span's end.
    fn next_aligned(&self, unit: Unit, align: u32) -> Unit {
        if align <= SPAN_ALIGN_UNITS {
            return unit.next_multiple_of(align);
        }
        let start = Addr::new(self.start.load(Ordering::Relaxed));
        let address = start + (unit - self.first.load(Ordering::Relaxed)) as usize * UNIT;
        let skipped = address.align_up(align as usize * UNIT) - address;
        unit + (skipped / UNIT) as Unit
    }
}

static SPANS: [Span; SPANS_MAX] = [const {
    Span {
        start: AtomicUsize::new(0),
        units: AtomicU32::new(0),
        committed: AtomicU32::new(0),
        first: AtomicU32::new(0),
    }
}; SPANS_MAX];

/// How many units there can be, over all spans.
static UNITS_MAX: AtomicU32 = AtomicU32::new(0);

/// No object is larger: no collection can make room for it.
pub fn bytes_max() -> usize {
    UNITS_MAX.load(Ordering::Relaxed) as usize * UNIT
}

type Bits = BitSlice<u64, Lsb0>;

/// The part of the cage behind its lock.
pub struct Cage {
    used: &'static mut Bits,
    dirty: &'static mut Bits,
    /// No unit below this one is free.
    lowest_free: Unit,
    units_max: Unit,
    /// Where the three bitmaps lie, and the distance between them.
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

/// How many units are idle, for who cannot take the lock to learn that there are few. Written under the lock.
static IDLE_UNITS: AtomicU32 = AtomicU32::new(0);

/// Units taken so far, modulo 2^32. Written under the lock.
static TAKEN_UNITS: AtomicU32 = AtomicU32::new(0);

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

/// Bytes that the side arrays need for one unit, the bitmaps here included.
const SIDE_BYTES_PER_UNIT: usize = units::BYTES_PER_UNIT + 1;

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
        MAP.base.store(start.get(), Ordering::Relaxed);
        UNITS_MAX.store(units_max as Unit, Ordering::Relaxed);
        add_span(start, bytes / UNIT, 0);
        Some(cage)
    }

    /// Takes `count` units whose first address is a multiple of `align` units, a power of two.
    pub fn take(&mut self, count: u32, align: u32) -> Option<Taken> {
        if count > self.units_max || align > self.units_max {
            return None;
        }
        let first = match self.find(count, align) {
            Some(first) => first,
            None => self.grow(count, align)?,
        };
        if first == self.lowest_free {
            self.lowest_free = first + count;
        }
        Some(self.take_free(first, count))
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
        TAKEN_UNITS.store(taken_units().wrapping_add(count), Ordering::Relaxed);
        self.set_idle(self.idle_units - idle);
        Taken { first, is_zero: idle == 0 }
    }

    fn set_idle(&mut self, units: u32) {
        self.idle_units = units;
        self.idle_low_water = self.idle_low_water.min(units);
        IDLE_UNITS.store(units, Ordering::Relaxed);
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

    /// The lowest run of `count` free units below the frontier.
    fn find(&mut self, count: u32, align: u32) -> Option<Unit> {
        let frontier = frontier() as usize;
        let (count, align) = (count as usize, align as usize);
        let mut from = self.lowest_free as usize;
        let mut first_look = true;
        loop {
            from += self.used[from.min(frontier)..frontier].first_zero()?;
            if first_look {
                self.lowest_free = from as Unit;
                first_look = false;
            }
            let span = &SPANS[span_of_unit(from as Unit)];
            let aligned = span.next_aligned(from as Unit, align as u32) as usize;
            if aligned >= span.end() as usize {
                from = span.end() as usize;
                continue;
            }
            from = aligned;
            if from + count > frontier {
                return None;
            }
            match self.used[from..from + count].last_one() {
                None => return Some(from as Unit),
                Some(last) => from += last + 1,
            }
        }
    }

    /// Commits more of the last span, or reserves another, so that `count` units fit at the end.
    fn grow(&mut self, count: u32, align: u32) -> Option<Unit> {
        let index = MAP.spans.load(Ordering::Relaxed) as usize - 1;
        let frontier = frontier();
        // A free run at the end counts; the rest is committed.
        let free_tail = self.used[..frontier as usize].trailing_zeros() as u32;
        let span = &SPANS[index];
        let span_first = span.first.load(Ordering::Relaxed);
        let first = span.next_aligned(frontier - free_tail.min(frontier - span_first), align);
        // The last unit of a span stays unused, so that no run crosses into the next.
        let end = span.end() - 1;
        if first + count > end {
            return self.add_another_span(count, align);
        }
        let wanted = (first + count).max((frontier + COMMIT_STEP_UNITS).min(end));
        let enough = self.commit_to(index, wanted) || self.commit_to(index, first + count);
        enough.then_some(first)
    }

    fn add_another_span(&mut self, count: u32, align: u32) -> Option<Unit> {
        let index = MAP.spans.load(Ordering::Relaxed) as usize;
        let last = &SPANS[index - 1];
        let first = last.end();
        let least = (count + align).next_multiple_of(SPAN_ALIGN_UNITS);
        let room = self.units_max.checked_sub(first)?;
        if index == SPANS_MAX || least > room {
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
                add_span(start, units as usize, first);
                return self.grow(count, align);
            }
            if units == least {
                return None;
            }
            units /= 2;
            units = units / SPAN_ALIGN_UNITS * SPAN_ALIGN_UNITS;
        }
    }

    /// Commits units of span `index`, the last one, up to unit number `end`, with all that is kept about them.
    fn commit_to(&mut self, index: usize, end: Unit) -> bool {
        self.commit_bitmaps(end) && commit_to(index, end)
    }

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
        let count = MAP.spans.load(Ordering::Relaxed) as usize;
        let reserved: usize = SPANS[..count].iter().map(|span| span.units.load(Ordering::Relaxed) as usize).sum();
        if reserved * UNIT <= bytes {
            return false;
        }
        let align = SPAN_ALIGN_UNITS as usize;
        let span = &SPANS[count - 1];
        let first = span.first.load(Ordering::Relaxed);
        // One more than is committed: the last unit of a span stays unused.
        let kept = (frontier() - first + 1).next_multiple_of(SPAN_ALIGN_UNITS);
        let room = (2 * (bytes / UNIT)).next_multiple_of(align);
        let units_max = (self.units_max as usize).min((first + kept) as usize + room) as Unit;
        let units = span.units.load(Ordering::Relaxed);
        if kept >= units && units_max >= self.units_max {
            return false;
        }
        let start = Addr::new(span.start.load(Ordering::Relaxed));
        let mut tail = Range::new(start + kept.min(units) as usize * UNIT, start + units as usize * UNIT);
        if !tail.is_empty() {
            if !mem::release_part(tail) {
                return false;
            }
            span.units.store(kept, Ordering::Relaxed);
        }
        units::give_back_beyond(units_max, self.units_max);
        for index in 0..2 {
            let bitmap = self.bitmaps + index * self.bitmap_bytes;
            tail = Range::new((bitmap + units_max as usize / 8).align_up(mem::PAGE), bitmap + self.bitmap_bytes);
            // What cannot be given back stays reserved and unused.
            if !tail.is_empty() && mem::release_part(tail) {
                self.bitmaps_committed[index] = self.bitmaps_committed[index].min(tail.start - bitmap);
            }
        }
        self.units_max = units_max;
        UNITS_MAX.store(units_max, Ordering::Relaxed);
        self.span_units = ((bytes / UNIT / 8).next_multiple_of(align) as u32).min(self.span_units);
        true
    }

    /// Bytes in units that are used now.
    pub fn used_bytes(&self) -> usize {
        self.used_units as usize * UNIT
    }

    /// Bytes given back to the system so far.
    pub fn released_bytes(&self) -> u64 {
        self.released_bytes
    }

    /// Whether a unit is taken.
    pub fn is_used(&self, unit: Unit) -> bool {
        self.used[unit as usize]
    }

    /// Starts [`Cage::restart_low_water`]'s figure anew, and says what it was: so many units have been idle since.
    pub fn restart_low_water(&mut self) -> u32 {
        core::mem::replace(&mut self.idle_low_water, self.idle_units)
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

fn add_span(start: Addr, units: usize, first: Unit) {
    let index = MAP.spans.load(Ordering::Relaxed) as usize;
    let span = &SPANS[index];
    span.start.store(start.get(), Ordering::Relaxed);
    span.units.store(units as u32, Ordering::Relaxed);
    span.first.store(first, Ordering::Relaxed);
    span.committed.store(0, Ordering::Relaxed);
    MAP.frontier.store(first, Ordering::Relaxed);
    // Release: pairs with the Acquire loads of `spans` in the lookups, which then see the span's fields.
    MAP.spans.store(index as u32 + 1, Ordering::Release);
}

/// Commits units of span `index` with their side entries.
fn commit_to(index: usize, end: Unit) -> bool {
    let span = &SPANS[index];
    let (first, start) = (span.first.load(Ordering::Relaxed), Addr::new(span.start.load(Ordering::Relaxed)));
    let committed = span.committed.load(Ordering::Relaxed);
    let from = first + committed;
    if end <= from {
        return true;
    }
    let range = Range::new(start + committed as usize * UNIT, start + (end - first) as usize * UNIT);
    if !units::commit(end) || !mem::commit(range) {
        return false;
    }
    if memcheck::is_running() {
        memcheck::forbid(range);
    }
    span.committed.store(end - first, Ordering::Release);
    if index == 0 {
        // Release: whoever sees an address as ours sees committed side entries for it.
        MAP.limit.store((end - first) as usize * UNIT, Ordering::Release);
    }
    MAP.frontier.store(end, Ordering::Release);
    true
}

/// The number of units with side entries.
#[inline(always)]
pub fn frontier() -> Unit {
    MAP.frontier.load(Ordering::Acquire)
}

/// The unit that `addr` lies in, if it is committed memory of the cage.
#[inline(always)]
pub fn unit_of(addr: Addr) -> Option<Unit> {
    if let Some(unit) = unit_of_first_span(addr) {
        return Some(unit);
    }
    if MAP.spans.load(Ordering::Acquire) <= 1 { None } else { unit_of_later_span(addr) }
}

/// The unit that `addr` lies in, if it is committed memory of the first span.
#[inline(always)]
pub fn unit_of_first_span(addr: Addr) -> Option<Unit> {
    let offset = addr.get().wrapping_sub(MAP.base.load(Ordering::Relaxed));
    if offset >= MAP.limit.load(Ordering::Relaxed) {
        return None;
    }
    // SAFETY: no span is larger, and the limit lies in the first.
    unsafe { core::hint::assert_unchecked(offset < SPAN_BYTES_MAX) };
    Some((offset >> UNIT_SHIFT) as Unit)
}

#[cold]
fn unit_of_later_span(addr: Addr) -> Option<Unit> {
    let count = MAP.spans.load(Ordering::Acquire) as usize;
    SPANS[1..count].iter().find_map(|span| {
        let offset = addr.get().wrapping_sub(span.start.load(Ordering::Relaxed)) >> UNIT_SHIFT;
        let committed = span.committed.load(Ordering::Acquire) as usize;
        (offset < committed).then(|| span.first.load(Ordering::Relaxed) + offset as Unit)
    })
}

/// The committed part of the first span: its first address and its bytes.
pub fn first_span() -> (usize, usize) {
    (MAP.base.load(Ordering::Relaxed), MAP.limit.load(Ordering::Relaxed))
}

/// The smallest range that holds every committed unit: a word outside is no address of ours.
pub fn hull() -> Range {
    let count = MAP.spans.load(Ordering::Acquire) as usize;
    let mut hull = Range::new(Addr::new(usize::MAX), Addr::NULL);
    for span in &SPANS[..count] {
        let start = Addr::new(span.start.load(Ordering::Relaxed));
        hull.start = hull.start.min(start);
        hull.end = hull.end.max(start + span.committed.load(Ordering::Acquire) as usize * UNIT);
    }
    hull
}

/// Visits the committed part of each span.
pub fn for_each_committed(mut visit: impl FnMut(Range)) {
    let count = MAP.spans.load(Ordering::Acquire) as usize;
    for span in &SPANS[..count] {
        let bytes = span.committed.load(Ordering::Acquire) as usize * UNIT;
        visit(Range::sized(Addr::new(span.start.load(Ordering::Relaxed)), bytes));
    }
}

/// The first address of a unit.
#[inline(always)]
pub fn addr_of(unit: Unit) -> Addr {
    let first = &SPANS[0];
    if unit < first.units.load(Ordering::Relaxed) {
        return Addr::new(MAP.base.load(Ordering::Relaxed)) + ((unit as usize) << UNIT_SHIFT);
    }
    let span = &SPANS[span_of_unit(unit)];
    Addr::new(span.start.load(Ordering::Relaxed))
        + (((unit - span.first.load(Ordering::Relaxed)) as usize) << UNIT_SHIFT)
}

#[cold]
fn span_of_unit(unit: Unit) -> usize {
    let count = MAP.spans.load(Ordering::Acquire) as usize;
    SPANS[..count].iter().rposition(|span| span.first.load(Ordering::Relaxed) <= unit).unwrap_or(0)
}

/// Whether `addr` lies in a reserved range of the cage, committed or not.
pub fn contains(addr: Addr) -> bool {
    let count = MAP.spans.load(Ordering::Acquire) as usize;
    SPANS[..count].iter().any(|span| {
        let units = span.units.load(Ordering::Relaxed) as usize;
        Range::sized(Addr::new(span.start.load(Ordering::Relaxed)), units * UNIT).contains(addr)
    })
}

/// Bytes of the cage that are committed, and of the side arrays that go with them.
pub fn committed_bytes() -> (usize, usize) {
    let count = MAP.spans.load(Ordering::Acquire) as usize;
    let units: usize = SPANS[..count].iter().map(|span| span.committed.load(Ordering::Relaxed) as usize).sum();
    (units * UNIT, units * SIDE_BYTES_PER_UNIT)
}
