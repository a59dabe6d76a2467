//! Spans: which addresses are the heap's, and which unit each is.
//!
//! "Is this word ours?" is one subtraction and one comparison with the first span's committed part ([`MAP`]). Later spans,
//! which continue the numbering of units, are looked at in a cold branch.
//!
//! ```text
//!   units      0 1 2 3 … 4095 | 4096 …          the last number of a span is no one's: no run crosses into the next
//!   span 0     [ committed ▏ reserved only ]
//!   span 1                      [ committed ▏ reserved only ]
//! ```
//!
//! Holds:   units below the frontier have side entries; those of a span's committed part have memory, too.
//! Threads: written under the cage's lock, read by anybody: what has been published stays as it is, but grows.

use super::executable;
use crate::heap::{
    size_class::{UNIT, UNIT_SHIFT},
    units,
};
use crate::{
    base::{
        addr::{Addr, Range},
        sync::{AtomicU32, AtomicUsize, Ordering},
    },
    os::{mem, memcheck},
};

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
    /// A byte of flags per unit.
    pub flags: AtomicUsize,
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
    flags: AtomicUsize::new(0),
    frontier: AtomicU32::new(0),
    spans: AtomicU32::new(0),
};

pub(super) const SPANS_MAX: usize = 64;
pub(super) const SPAN_BYTES_MAX: usize = 1 << 40;
/// Spans and their first units are aligned to this many units, so a block's alignment is the same in both.
pub(super) const SPAN_ALIGN_UNITS: u32 = 64;

/// A reserved range, committed from its front.
pub(super) struct Span {
    start: AtomicUsize,
    units: AtomicU32,
    committed: AtomicU32,
    first: AtomicU32,
}

impl Span {
    /// Its first address.
    pub(super) fn start(&self) -> Addr {
        Addr::new(self.start.load(Ordering::Relaxed))
    }

    /// Its first unit's number.
    pub(super) fn first(&self) -> Unit {
        self.first.load(Ordering::Relaxed)
    }

    /// How many units it has.
    pub(super) fn units(&self) -> u32 {
        self.units.load(Ordering::Relaxed)
    }

    /// The unit number after its last one.
    pub(super) fn end(&self) -> Unit {
        self.first() + self.units()
    }

    fn reserved(&self) -> Range {
        Range::sized(self.start(), self.units() as usize * UNIT)
    }

    fn committed(&self) -> Range {
        // Acquire: pairs with the Release of `commit_to`: side entries are there.
        Range::sized(self.start(), self.committed.load(Ordering::Acquire) as usize * UNIT)
    }

    /// Gives its address space back from unit number `count` on. `false`: the system refuses.
    pub(super) fn shorten(&self, count: u32) -> bool {
        if count >= self.units() {
            return true;
        }
        let tail = Range::new(self.start() + count as usize * UNIT, self.reserved().end);
        let is_released = mem::release_part(tail);
        if is_released {
            self.units.store(count, Ordering::Relaxed);
        }
        is_released
    }

    /// The first unit from `unit` on, which is one of the span's, whose address is a multiple of `align` units. It may
    /// lie past the span's end.
    pub(super) fn next_aligned(&self, unit: Unit, align: u32) -> Unit {
        if align <= SPAN_ALIGN_UNITS {
            return unit.next_multiple_of(align);
        }
        let address = self.start() + (unit - self.first()) as usize * UNIT;
        let skipped = address.align_up(align as usize * UNIT) - address;
        unit + (skipped / UNIT) as Unit
    }
}

#[unsafe(link_section = ".bss.tables")]
static SPANS: [Span; SPANS_MAX] = [const {
    Span {
        start: AtomicUsize::new(0),
        units: AtomicU32::new(0),
        committed: AtomicU32::new(0),
        first: AtomicU32::new(0),
    }
}; SPANS_MAX];

/// Bytes that the side arrays need for one unit, the bitmaps here included.
const SIDE_BYTES_PER_UNIT: usize = units::BYTES_PER_UNIT + 1;

/// The spans there are.
pub(super) fn all() -> &'static [Span] {
    // Acquire: pairs with the Release of `add`.
    &SPANS[..MAP.spans.load(Ordering::Acquire) as usize]
}

/// Adds a span whose first unit has number `first`.
pub(super) fn add(start: Addr, units: usize, first: Unit) {
    let index = MAP.spans.load(Ordering::Relaxed) as usize;
    let span = &SPANS[index];
    span.start.store(start.get(), Ordering::Relaxed);
    span.units.store(units as u32, Ordering::Relaxed);
    span.first.store(first, Ordering::Relaxed);
    span.committed.store(0, Ordering::Relaxed);
    if index == 0 {
        MAP.base.store(start.get(), Ordering::Relaxed);
    }
    MAP.frontier.store(first, Ordering::Relaxed);
    // Release: pairs with the Acquire loads of `spans` in the lookups, which then see the span's fields.
    MAP.spans.store(index as u32 + 1, Ordering::Release);
}

/// Commits units of the last span up to number `end`, with their side entries. `false`: the system refuses.
pub(super) fn commit_to(end: Unit) -> bool {
    let index = all().len() - 1;
    let span = &SPANS[index];
    let (first, start) = (span.first(), span.start());
    let committed = span.committed.load(Ordering::Relaxed);
    if end <= first + committed {
        return true;
    }
    let range = Range::new(start + committed as usize * UNIT, start + (end - first) as usize * UNIT);
    if !units::commit(end) || !executable::commit(range) {
        return false;
    }
    if memcheck::is_running() {
        memcheck::forbid(range);
    }
    // Release: pairs with the Acquire of `committed`.
    span.committed.store(end - first, Ordering::Release);
    if index == 0 {
        // Release: whoever sees an address as ours sees committed side entries for it.
        MAP.limit.store((end - first) as usize * UNIT, Ordering::Release);
    }
    // Release: pairs with the Acquire of `frontier`; as above.
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
    all()[1..].iter().find_map(|span| {
        let offset = addr - span.start();
        (offset < span.committed().bytes()).then(|| span.first() + (offset >> UNIT_SHIFT) as Unit)
    })
}

/// The committed part of the first span: its first address and its bytes.
pub fn first_span() -> (usize, usize) {
    (MAP.base.load(Ordering::Relaxed), MAP.limit.load(Ordering::Relaxed))
}

/// The smallest range that holds every committed unit: a word outside is no address of ours.
pub fn hull() -> Range {
    let nothing = Range::new(Addr::new(usize::MAX), Addr::NULL);
    all()
        .iter()
        .map(Span::committed)
        .fold(nothing, |hull, part| Range { start: hull.start.min(part.start), end: hull.end.max(part.end) })
}

/// The smallest range that holds every reserved unit: it stays the same while the heap grows within what is reserved.
pub fn reserved_hull() -> Range {
    let nothing = Range::new(Addr::new(usize::MAX), Addr::NULL);
    all()
        .iter()
        .map(Span::reserved)
        .fold(nothing, |hull, part| Range { start: hull.start.min(part.start), end: hull.end.max(part.end) })
}

/// Visits the committed part of each span.
pub fn for_each_committed(visit: impl FnMut(Range)) {
    all().iter().map(Span::committed).for_each(visit);
}

/// The first address of a unit.
#[inline(always)]
pub fn addr_of(unit: Unit) -> Addr {
    let first = &SPANS[0];
    if unit < first.units.load(Ordering::Relaxed) {
        return Addr::new(MAP.base.load(Ordering::Relaxed)) + ((unit as usize) << UNIT_SHIFT);
    }
    let span = of_unit(unit);
    span.start() + (((unit - span.first()) as usize) << UNIT_SHIFT)
}

/// The span that a unit belongs to.
#[cold]
#[unsafe(link_section = ".text.hot")]
pub(super) fn of_unit(unit: Unit) -> &'static Span {
    all().iter().rev().find(|span| span.first() <= unit).unwrap_or(&SPANS[0])
}

/// Whether `addr` lies in a reserved range of the cage, committed or not.
pub fn contains(addr: Addr) -> bool {
    all().iter().any(|span| span.reserved().contains(addr))
}

/// Bytes of the cage that are committed, and of the side arrays that go with them.
pub fn committed_bytes() -> (usize, usize) {
    let bytes: usize = all().iter().map(|span| span.committed().bytes()).sum();
    (bytes, bytes / UNIT * SIDE_BYTES_PER_UNIT)
}
