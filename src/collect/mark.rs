//! Marking: finds what is reachable.
//!
//! An object is marked when it is found, in the side bitmap, and scanned later. In between it is prefetched: it waits in
//! a ring of 32 objects, so that its cache line is there when it is read. A pure ring would turn depth first into breadth
//! first, and lose where objects lie in the order in which they point to each other; so children in the same 2 KiB as
//! their parent go to a small stack that is served first.
//!
//! ```text
//!   found -> mark bit -> near (same 2 KiB)  ------------------> scan
//!                     -> stack -> ring of 32, prefetched -----> scan
//! ```
//!
//! The stack has a budget. When it is full, the object stays marked and unscanned, its unit is flagged, and the marked
//! objects of flagged units are scanned again at the end, until no flag is left.
//!
//! Holds:   when `drain` returns, every object that a marked object points to is marked. Checked by `recheck`.
//! Threads: one marker, the world is stopped.

use super::{
    ephemeron::Ephemerons,
    table::List,
    trace::{self, layout},
};
use crate::{
    base::{
        addr::{Addr, Ambiguous, ObjRef, Range},
        bits,
        sync::Ordering,
    },
    heap::{
        cage,
        resolve::{self, Slot},
        units::{self, TOUCHED, UNSCANNED},
    },
};

const RING: usize = 32;
const CACHE_LINE: usize = 64;
const NEAR: usize = 64;
const NEAR_SHIFT: u32 = 11;
const ROOT_PIECE_BYTES: usize = 4 << 10;
const LARGE_ITEMS: usize = 64;
const LARGE_PIECE_BYTES: usize = 64 << 10;
const STACK_OBJECTS_MIN: usize = (1 << 20) / size_of::<usize>();

/// See the module's documentation.
pub struct Marker {
    stack: List<usize>,
    stack_limit: usize,
    near: [usize; NEAR],
    near_count: usize,
    ring: [usize; RING],
    ring_first: usize,
    ring_count: usize,
    /// The slots that magazines hold.
    cached: List<usize>,
    cached_sorted: bool,
    /// Rests of objects that are scanned in pieces.
    large: [Range; LARGE_ITEMS],
    large_count: usize,
    overflowed: bool,
    /// How often flagged units had to be scanned again.
    pub overflows: u64,
    pub(super) ephemerons: Ephemerons,
}

impl Marker {
    /// A marker without memory.
    pub const fn new() -> Self {
        Marker {
            stack: List::new(),
            stack_limit: 0,
            near: [0; NEAR],
            near_count: 0,
            ring: [0; RING],
            ring_first: 0,
            ring_count: 0,
            cached: List::new(),
            cached_sorted: false,
            large: [Range { start: Addr::NULL, end: Addr::NULL }; LARGE_ITEMS],
            large_count: 0,
            overflowed: false,
            overflows: 0,
            ephemerons: Ephemerons::new(),
        }
    }

    /// Makes room for a heap with `live_bytes`, or for exactly `objects_max` objects when that is not zero.
    /// Where the system refuses, the stack stays as it is: it may overflow more often.
    pub fn prepare(&mut self, live_bytes: u64, objects_max: usize) {
        let wanted = match objects_max {
            0 => STACK_OBJECTS_MIN.max(live_bytes as usize / 64 / size_of::<usize>()),
            exact => exact,
        };
        let _ = self.stack.reserve(wanted);
        self.stack_limit = wanted.min(self.stack.room());
    }

    /// Marks what a word of a root points to, one past an object's end included.
    #[inline(always)]
    pub fn offer_root(&mut self, word: Ambiguous) {
        if let Some(slot) = resolve::resolve(word) {
            self.found(&slot, 0);
        }
        if let Some(slot) = resolve::resolve_end(word) {
            self.found(&slot, 0);
        }
    }

    /// Marks what a word of an object points to.
    #[inline(always)]
    pub fn offer(&mut self, word: Ambiguous, parent: usize) {
        if let Some(slot) = resolve::resolve(word) {
            self.found(&slot, parent);
        }
    }

    /// Marks what the words of a root range point to.
    ///
    /// # Safety
    /// The range may be read.
    pub unsafe fn root_range(&mut self, range: Range) {
        // Aligned first, so that no word lies across two pieces.
        let mut rest = Range::new(range.start.align_up(size_of::<usize>()), range.end);
        while !rest.is_empty() {
            let piece = Range::new(rest.start, rest.end.min(rest.start + ROOT_PIECE_BYTES));
            // SAFETY: by the caller's promise.
            unsafe { self.root_words(piece) };
            rest.start = piece.end;
            self.relieve();
        }
    }

    /// Marks what the words of a part of a root point to.
    unsafe fn root_words(&mut self, range: Range) {
        // SAFETY: by the caller's promise.
        unsafe { trace::words(range, |word| self.offer_root(word)) };
    }

    /// Empties a half full stack before more roots are read: a large table of roots would fill it otherwise.
    fn relieve(&mut self) {
        if self.stack.as_slice().len() > self.stack_limit / 2 {
            while let Some(start) = self.next() {
                self.scan(start);
            }
        }
    }

    /// Marks an uncollectable object, whose words are roots.
    pub fn root_object(&mut self, slot: &Slot) {
        self.found(slot, 0);
    }

    /// Sets the mark of a slot without scanning its object; `true` when it was not set.
    #[inline(always)]
    pub fn mark(&mut self, slot: &Slot) -> bool {
        if !slot.word().mark(slot.bit()) {
            return false;
        }
        let touched = units::touched(slot.unit());
        if touched.load(Ordering::Relaxed) & TOUCHED == 0 {
            touched.store(touched.load(Ordering::Relaxed) | TOUCHED, Ordering::Relaxed);
        }
        true
    }

    #[inline(always)]
    fn found(&mut self, slot: &Slot, parent: usize) {
        if !self.mark(slot) {
            return;
        }
        if slot.class().kind().traits().may_hold_pointers() {
            self.push(slot, parent);
        }
        if self.ephemerons.are_waiting() {
            self.ephemerons.wake(slot.object());
        }
    }

    #[inline(always)]
    fn push(&mut self, slot: &Slot, parent: usize) {
        let start = slot.start().get();
        if start >> NEAR_SHIFT == parent >> NEAR_SHIFT && self.near_count < NEAR {
            prefetch(start);
            self.near[self.near_count] = start;
            self.near_count += 1;
        } else if self.stack.as_slice().len() < self.stack_limit {
            // Room was made by `prepare`, so this cannot refuse.
            let _ = self.stack.push(start);
        } else {
            self.overflowed = true;
            let touched = units::touched(slot.unit());
            touched.store(touched.load(Ordering::Relaxed) | UNSCANNED, Ordering::Relaxed);
        }
    }

    /// Scans until everything found has been scanned.
    pub fn drain(&mut self) {
        loop {
            while let Some(start) = self.next() {
                self.scan(start);
            }
            if let Some(rest) = self.large_count.checked_sub(1) {
                self.large_count = rest;
                self.scan_piece(self.large[rest]);
            } else if self.overflowed {
                self.overflowed = false;
                self.overflows += 1;
                self.scan_flagged_units();
            } else if !self.settle_ephemerons() {
                return;
            }
        }
    }

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        if self.near_count > 0 {
            self.near_count -= 1;
            return Some(self.near[self.near_count]);
        }
        while self.ring_count < RING {
            let Some(start) = self.stack.pop() else { break };
            prefetch_object(start);
            self.ring[(self.ring_first + self.ring_count) % RING] = start;
            self.ring_count += 1;
        }
        self.ring_count = self.ring_count.checked_sub(1)?;
        let start = self.ring[self.ring_first];
        self.ring_first = (self.ring_first + 1) % RING;
        Some(start)
    }

    #[inline(always)]
    fn scan(&mut self, start: usize) {
        let Some(slot) = resolve::locate(Addr::new(start)) else { return };
        self.scan_slot(&slot);
    }

    #[inline(always)]
    fn scan_slot(&mut self, slot: &Slot) {
        let traits = slot.class().kind().traits();
        if traits.is_uncollectable() {
            // SAFETY: an object in use.
            unsafe { self.root_words(Range::sized(slot.start(), slot.bytes())) };
        } else if traits.is_conservative() {
            self.scan_piece(Range::sized(slot.start(), slot.bytes()));
        } else if traits.is_typed() {
            let parent = slot.start().get();
            layout::children(slot, |word| self.offer(word, parent));
        } else if traits.is_ephemeron() {
            self.ephemerons.found(slot.object());
        } else {
            trace::children(slot, |word| self.offer(word, 0));
        }
    }

    /// Scans the front of a range of an object's words, and keeps the rest for later.
    #[inline(always)]
    fn scan_piece(&mut self, range: Range) {
        let mut piece = range;
        if range.bytes() > LARGE_PIECE_BYTES && self.large_count < LARGE_ITEMS {
            piece = Range::sized(range.start, LARGE_PIECE_BYTES);
            self.large[self.large_count] = Range::new(piece.end, range.end);
            self.large_count += 1;
        }
        let parent = range.start.get();
        // SAFETY: part of an object in use.
        unsafe { trace::words(piece, |word| self.offer(word, parent)) };
    }

    /// Scans the children of an object that has not been marked and is not to be: all but pointers to itself.
    pub fn scan_children_of_unmarked(&mut self, object: ObjRef) {
        let Some(slot) = resolve::object_at(object.addr()) else { return };
        trace::children(&slot, |word| {
            if resolve::resolve(word) != Some(slot) {
                self.offer(word, 0);
            }
        });
    }

    #[cold]
    fn scan_flagged_units(&mut self) {
        for unit in 0..cage::frontier() {
            let touched = units::touched(unit);
            let flags = touched.load(Ordering::Relaxed);
            if flags & UNSCANNED == 0 {
                continue;
            }
            touched.store(flags & !UNSCANNED, Ordering::Relaxed);
            let class = units::class_of(unit);
            let words = if class.is_small() { class.shape().words() } else { 1 };
            for (index, word) in units::words(unit)[..words].iter().enumerate() {
                let marked = word.marked.load(Ordering::Relaxed) & word.allocated.load(Ordering::Relaxed);
                bits::for_each_bit(marked, |bit| {
                    let bytes = if class.is_small() { class.shape().slot_bytes as usize } else { 0 };
                    let start = cage::addr_of(unit) + (index * 64 + bit) * bytes;
                    if let Some(slot) = resolve::locate(start).filter(|slot| !self.is_cached(slot.start())) {
                        self.scan_slot(&slot);
                    }
                });
                while let Some(start) = self.next() {
                    self.scan(start);
                }
            }
        }
    }

    /// Offers the values of ephemerons whose keys are live; those whose keys are not, wait. `false`: there was none.
    fn settle_ephemerons(&mut self) -> bool {
        let mut settled_any = false;
        while let Some(ephemeron) = self.ephemerons.take_fresh() {
            settled_any = true;
            if ephemeron.key_is_live() {
                self.offer(Ambiguous(ephemeron.value()), 0);
            } else {
                self.ephemerons.await_key(ephemeron);
            }
        }
        settled_any
    }

    /// Notes the slots that magazines hold: marked, so that they are not swept, and never to be scanned.
    pub fn mark_cached(&mut self, slots: &[usize]) {
        for &start in slots {
            if let Some(slot) = resolve::object_at(Addr::new(start)) {
                self.mark(&slot);
                // Only scanning flagged units looks here. Without memory it would scan a free slot: no more than a
                // needless mark.
                let _ = self.cached.push(start);
            }
        }
    }

    /// The slots that magazines hold, sorted.
    pub fn cached(&mut self) -> &[usize] {
        if !self.cached_sorted {
            self.cached.as_mut_slice().sort_unstable();
            self.cached_sorted = true;
        }
        self.cached.as_slice()
    }

    fn is_cached(&mut self, start: Addr) -> bool {
        self.cached().binary_search(&start.get()).is_ok()
    }

    /// Makes the marker ready for a new cycle.
    pub fn begin(&mut self) {
        self.cached.clear();
        self.cached_sorted = false;
        self.ephemerons.begin();
    }
}

/// Prefetches the first two cache lines that an object lies in: half of the slots of 48 bytes lie across two.
#[inline(always)]
fn prefetch_object(start: usize) {
    prefetch(start);
    if let Some(unit) = cage::unit_of(Addr::new(start)) {
        let bytes = units::class_of(unit).shape().slot_bytes as usize;
        prefetch(start + bytes.clamp(1, 2 * CACHE_LINE) - 1);
    }
}

#[inline(always)]
fn prefetch(address: usize) {
    // SAFETY: a prefetch never faults.
    unsafe { core::arch::x86_64::_mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T0 }>(address as *const i8) };
}
