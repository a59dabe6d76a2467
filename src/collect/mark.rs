//! Marking: finds what is reachable.
//!
//! An object is marked when it is found, in the side bitmap, and scanned later. What is read in between has been asked
//! for some time before: see [`pipeline`](super::pipeline).
//!
//! The stack of objects that wait has a budget. When it is full, the object stays marked and unscanned, its unit is
//! flagged, and the marked objects of flagged units are scanned again at the end, until no flag is left.
//!
//! Holds:   when `drain` returns, every object that a marked object points to is marked. Checked by `recheck`.
//! Threads: one marker, the world is stopped.

use super::{
    ephemeron::Ephemerons,
    large::Large,
    pipeline::{Item, PIECE, Pipeline},
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
        cage::{self, Unit},
        resolve::{self, Slot},
        units::{self, TOUCHED, UNSCANNED},
    },
};

const ROOT_PIECE_BYTES: usize = 4 << 10;
const PIECE_BYTES: usize = PIECE * size_of::<usize>();
const STACK_OBJECTS_MIN: usize = (1 << 20) / size_of::<Item>();

/// See the module's documentation.
pub struct Marker {
    pipeline: Pipeline,
    /// Words outside this range are no addresses of ours.
    hull: Range,
    hull_bytes: usize,
    /// The slots that magazines hold.
    cached: List<usize>,
    cached_sorted: bool,
    large: Large,
    overflowed: bool,
    /// How often flagged units had to be scanned again.
    pub overflows: u64,
    pub(super) ephemerons: Ephemerons,
}

impl Marker {
    /// A marker without memory.
    pub const fn new() -> Self {
        Marker {
            pipeline: Pipeline::new(),
            hull: Range { start: Addr::NULL, end: Addr::NULL },
            hull_bytes: 0,
            cached: List::new(),
            cached_sorted: false,
            large: Large::new(),
            overflowed: false,
            overflows: 0,
            ephemerons: Ephemerons::new(),
        }
    }

    /// Makes room for a heap with `live_bytes`, or for exactly `objects_max` objects when that is not zero.
    pub fn prepare(&mut self, live_bytes: u64, objects_max: usize) {
        self.pipeline.prepare(match objects_max {
            0 => STACK_OBJECTS_MIN.max(live_bytes as usize / 64 / size_of::<Item>()),
            exact => exact,
        });
    }

    /// Makes the marker ready for a new cycle. The world is stopped.
    pub fn begin(&mut self) {
        self.hull = cage::hull();
        self.hull_bytes = self.hull.bytes();
        self.cached.clear();
        self.cached_sorted = false;
        self.large.begin();
        self.ephemerons.begin();
    }

    /// Bytes of reached objects that were never written, as far as somebody has looked.
    pub fn hole_bytes(&self) -> u64 {
        self.large.hole_bytes
    }

    /// The cycle is over.
    pub fn end(&mut self) {
        self.large.end();
        self.ephemerons.end();
    }

    /// Marks, before [`drain`](Self::drain) returns, what a word of a root points to, one past an object's end included.
    #[inline(always)]
    fn offer_root(&mut self, word: Ambiguous) {
        let offset = word.0.wrapping_sub(self.hull.start.get());
        if offset > self.hull_bytes {
            return;
        }
        self.offer(word);
        let here = resolve::locate(Addr::new(word.0));
        if !here.is_some_and(|slot| resolve::ends_nothing(word, &slot)) && resolve::locate_end(word).is_some() {
            self.offer(Ambiguous(word.0 - 1));
        }
    }

    /// Marks, before [`drain`](Self::drain) returns, what a word of an object points to.
    #[inline]
    pub fn offer(&mut self, word: Ambiguous) {
        self.add(word);
        if self.pipeline.is_due() {
            self.turn();
        }
    }

    #[inline(always)]
    fn add(&mut self, word: Ambiguous) {
        let offset = word.0.wrapping_sub(self.hull.start.get());
        self.pipeline.add_word(word.0, offset < self.hull_bytes);
    }

    /// Marks the candidates, whose bit words were asked for at the last turn, and locates a new batch.
    #[inline(never)]
    fn turn(&mut self) {
        if self.pipeline.has_room() && !self.ephemerons.are_waiting() {
            self.pipeline.turn(|stack, candidate| {
                let is_new = candidate.word.mark_allocated(candidate.bit);
                let touched = units::touched(candidate.unit);
                touched.store(touched.load(Ordering::Relaxed) | (u8::from(is_new) * TOUCHED), Ordering::Relaxed);
                let may_hold_pointers = candidate.item.class().kind().traits().may_hold_pointers();
                // SAFETY: `has_room` has seen to room for all candidates.
                unsafe { stack.push_if(candidate.item, is_new & may_hold_pointers) };
            });
        } else {
            self.turn_slowly();
        }
    }

    /// As `turn`, when the stack may fill up or objects are keys of ephemerons.
    #[cold]
    fn turn_slowly(&mut self) {
        let Marker { pipeline, ephemerons, overflowed, .. } = self;
        let limit = pipeline.stack_limit();
        pipeline.turn(|stack, candidate| {
            if !candidate.word.mark_allocated(candidate.bit) {
                return;
            }
            let touched = units::touched(candidate.unit);
            let mut flags = TOUCHED;
            let may_hold_pointers = candidate.item.class().kind().traits().may_hold_pointers();
            if may_hold_pointers && !stack.push_within(candidate.item, limit) {
                *overflowed = true;
                flags |= UNSCANNED;
            }
            touched.store(touched.load(Ordering::Relaxed) | flags, Ordering::Relaxed);
            if ephemerons.are_waiting() {
                ephemerons.wake(ObjRef::claim(candidate.item.start()));
            }
        });
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
    #[inline]
    fn relieve(&mut self) {
        if self.pipeline.is_half_full() {
            self.scan_found();
        }
    }

    /// Marks an uncollectable object, whose words are roots.
    pub fn root_object(&mut self, slot: &Slot) {
        self.offer(Ambiguous(slot.start().get()));
        self.relieve();
    }

    /// Sets the mark of a slot without scanning its object.
    pub fn mark(&mut self, slot: &Slot) {
        slot.word().mark_allocated(slot.bit());
        let touched = units::touched(slot.unit());
        touched.store(touched.load(Ordering::Relaxed) | TOUCHED, Ordering::Relaxed);
    }

    /// Scans until everything found has been scanned.
    pub fn drain(&mut self) {
        loop {
            self.scan_found();
            if let Some(piece) = self.large.take_piece() {
                self.scan_range(piece);
            } else if self.overflowed {
                self.overflowed = false;
                self.overflows += 1;
                self.scan_flagged_units();
            } else if !self.settle_ephemerons() {
                return;
            }
        }
    }

    /// Flags a unit with a marked object that could not be kept for scanning.
    #[cold]
    fn come_back(&mut self, unit: Unit) {
        self.overflowed = true;
        let touched = units::touched(unit);
        touched.store(touched.load(Ordering::Relaxed) | UNSCANNED, Ordering::Relaxed);
    }

    /// Scans what is in the pipeline until nothing is, but for rests of large objects.
    fn scan_found(&mut self) {
        loop {
            while let Some(item) = self.pipeline.take_object() {
                self.scan(item);
            }
            if self.pipeline.is_settled() {
                return;
            }
            self.turn();
        }
    }

    #[inline(always)]
    fn scan(&mut self, item: Item) {
        let class = item.class();
        let bytes = class.shape().slot_bytes as usize;
        if class.kind().traits().is_plain() && (1..=PIECE_BYTES).contains(&bytes) {
            self.scan_piece(Range::sized(item.start(), bytes));
        } else if let Some(slot) = resolve::locate(item.start()) {
            self.scan_slot(&slot);
        }
    }

    /// Scans an object of any kind and size.
    #[inline(never)]
    fn scan_slot(&mut self, slot: &Slot) {
        let traits = slot.class().kind().traits();
        if traits.is_uncollectable() {
            // SAFETY: an object in use.
            unsafe { self.root_words(Range::sized(slot.start(), slot.bytes())) };
        } else if traits.is_conservative() {
            let range = Range::sized(slot.start(), slot.bytes());
            if !Large::is_for(range) {
                self.scan_range(range);
            } else if !self.large.add(range) {
                self.come_back(slot.unit());
            }
        } else if traits.is_typed() {
            layout::children(slot, |word| self.offer(word));
        } else if traits.is_ephemeron() {
            self.ephemerons.found(slot.object());
        } else {
            trace::children(slot, |word| self.offer(word));
        }
    }

    /// Scans a range of an object's words.
    fn scan_range(&mut self, range: Range) {
        let mut rest = range;
        while !rest.is_empty() {
            let piece = Range::new(rest.start, rest.end.min(rest.start + PIECE_BYTES));
            self.scan_piece(piece);
            rest.start = piece.end;
        }
    }

    /// Scans at most [`PIECE_BYTES`] of an object.
    #[inline(always)]
    fn scan_piece(&mut self, piece: Range) {
        // SAFETY: part of an object in use.
        unsafe { trace::words(piece, |word| self.add(word)) };
        if self.pipeline.is_due() {
            self.turn();
        }
    }

    /// Scans the children of an object that has not been marked and is not to be: all but pointers to itself.
    pub fn scan_children_of_unmarked(&mut self, object: ObjRef) {
        let Some(slot) = resolve::object_at(object.addr()) else { return };
        trace::children(&slot, |word| {
            if resolve::resolve(word) != Some(slot) {
                self.offer(word);
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
                self.scan_found();
            }
        }
    }

    /// Offers the values of ephemerons whose keys are live; those whose keys are not, wait. `false`: there was none.
    fn settle_ephemerons(&mut self) -> bool {
        let mut settled_any = false;
        while let Some(ephemeron) = self.ephemerons.take_fresh() {
            settled_any = true;
            if ephemeron.key_is_live() {
                self.offer(Ambiguous(ephemeron.value()));
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
}
