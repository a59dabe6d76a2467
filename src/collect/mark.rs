//! Marking: finds what is reachable.
//!
//! One scanner walks from the roots; where the heap is large enough to repay it, [`helpers`](super::helpers) walk with it
//! once the roots have been read. What remains is settled by one alone, in turn, until nothing is left: pieces of large
//! objects, units flagged because a stack was full, ephemerons.
//!
//! Holds:   when `drain` returns, every object that a marked object points to is marked. Checked by `recheck`.
//! Threads: the collecting thread; the world is stopped.

use super::{
    helpers::Helpers,
    item::Item,
    roots::Source,
    scanner::{Role, Scanner},
    share::Share,
    table::List,
    trace::{self, Sink},
    undeclared,
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
        units,
    },
};

const STACK_OBJECTS_MIN: usize = (1 << 20) / size_of::<Item>();

/// Whether the object at `object` has been marked.
pub fn is_marked(object: Addr) -> bool {
    resolve::object_at(object).is_some_and(|slot| slot.word().is_marked(slot.bit()))
}

/// Roots that the push hook reports.
pub struct Pushed<'a>(pub &'a mut Marker);

impl Sink for Pushed<'_> {
    fn word(&mut self, word: Ambiguous) {
        self.0.offer(word);
        self.0.scanner.relieve();
    }

    unsafe fn words(&mut self, range: Range) {
        // SAFETY: by the caller's promise.
        unsafe { self.0.root_range(Source::Range, range) };
    }

    unsafe fn stack(&mut self, range: Range) {
        // SAFETY: by the caller's promise.
        unsafe { self.0.root_range(Source::Stack, range) };
    }

    fn keep(&mut self, object: Addr) {
        self.0.keep_unscanned(object);
    }
}

/// See the module's documentation.
pub struct Marker {
    pub(super) scanner: Scanner,
    share: &'static Share,
    helpers: Helpers,
    /// The slots that magazines hold.
    cached: List<usize>,
    cached_sorted: bool,
    /// How often flagged units had to be scanned again.
    pub overflows: u64,
}

impl Marker {
    /// A marker without memory of its own.
    pub const fn new(share: &'static Share) -> Self {
        Marker {
            scanner: Scanner::new(share),
            share,
            helpers: Helpers::new(share),
            cached: List::new(),
            cached_sorted: false,
            overflows: 0,
        }
    }

    /// Makes room for a heap with `live_bytes`, or for exactly `objects_max` objects when that is not zero, and for
    /// `markers` that walk at once: fewer where the system refuses.
    pub fn prepare(&mut self, live_bytes: u64, objects_max: usize, markers: usize) {
        let objects_max = match objects_max {
            0 => STACK_OBJECTS_MIN.max(live_bytes as usize / 16 / size_of::<Item>()),
            exact => exact,
        };
        self.scanner.prepare(objects_max);
        // Together they have about twice what one has: address space may be scarce.
        self.helpers.prepare(markers - 1, (objects_max / markers).max(1));
    }

    /// Makes the marker ready for a new cycle. The world is stopped.
    pub fn begin(&mut self) {
        // First: the scanner makes a map of what waits.
        undeclared::take_effect();
        self.scanner.begin(Role::Alone);
        self.scanner.ephemerons.begin();
        self.share.begin();
        self.cached.clear();
        self.cached_sorted = false;
    }

    /// Bytes of reached objects that were never written, as far as somebody has looked.
    pub fn hole_bytes(&self) -> u64 {
        self.share.hole_bytes()
    }

    /// Gives memory back that this cycle needed and the next may not.
    pub fn release(&mut self) {
        self.scanner.release();
        self.helpers.release();
    }

    /// Marking took so long, reading the roots included, and so many objects are live.
    pub fn note(&mut self, mark_ns: u64, objects: u64) {
        self.helpers.note(mark_ns, objects);
    }

    /// How many marked at once in this cycle.
    pub fn markers(&self) -> usize {
        1 + self.helpers.started()
    }

    /// The cycle is over.
    pub fn end(&mut self) {
        self.share.end();
        self.scanner.ephemerons.end();
        self.scanner.weak_words.forget();
    }

    /// Marks, before [`drain`](Self::drain) returns, what a word of an object points to.
    #[inline]
    pub fn offer(&mut self, word: Ambiguous) {
        self.scanner.offer(word);
    }

    /// Marks what the words of a root range point to.
    ///
    /// # Safety
    /// The range may be read.
    pub unsafe fn root_range(&mut self, source: Source, range: Range) {
        if source.has_words_at_any_byte() {
            // SAFETY: by the caller's promise.
            unsafe { self.scanner.stack_range(range) };
        } else {
            // SAFETY: by the caller's promise.
            unsafe { self.scanner.root_range(range, source.lets_any_inside_keep()) };
        }
    }

    /// Marks an uncollectable object, whose words are roots.
    pub fn root_object(&mut self, slot: &Slot) {
        self.scanner.root_object(slot);
    }

    /// Sets the mark of a slot without scanning its object.
    pub fn mark(&mut self, slot: &Slot) {
        slot.word().mark_allocated(slot.bit());
    }

    /// Keeps an object without scanning it, unless it has been found already.
    pub fn keep_unscanned(&mut self, object: Addr) {
        let Some(slot) = resolve::object_at(object) else { return };
        if slot.word().mark_allocated(slot.bit()) {
            // As for a slot in a magazine.
            let _ = self.cached.push(slot.start().get());
            self.cached_sorted = false;
        }
    }

    /// Scans what the roots have led to, with the helpers there are, and then as [`drain`](Self::drain).
    pub fn drain_with_helpers(&mut self) {
        if self.helpers.start() {
            self.scanner.become_role(Role::Lead);
            self.scanner.scan_together();
            self.scanner.become_role(Role::Alone);
            self.scanner.overflowed |= self.helpers.finish(self.scanner.shared_batches);
        }
        self.drain();
    }

    /// Scans until everything found has been scanned.
    pub fn drain(&mut self) {
        loop {
            self.scanner.scan_found();
            if let Some(piece) = self.share.take_piece() {
                self.scanner.scan_part(piece);
            } else if self.scanner.overflowed {
                self.scanner.overflowed = false;
                self.overflows += 1;
                self.scan_flagged_units();
            } else if !self.settle_ephemerons() {
                return;
            }
        }
    }

    /// Scans those children of an object that has not been marked and is not to be that count.
    pub fn scan_children_of_unmarked(&mut self, object: ObjRef, counts: impl Fn(Slot) -> bool) {
        let Some(slot) = resolve::object_at(object.addr()) else { return };
        trace::declared_children(&slot, |word| {
            if resolve::resolve(word).is_some_and(&counts) {
                self.offer(word);
            }
        });
    }

    #[cold]
    fn scan_flagged_units(&mut self) {
        for unit in 0..cage::frontier() {
            if !units::take_unscanned(unit) {
                continue;
            }
            let class = units::class_of(unit);
            let words = if class.is_small() { class.shape().words() } else { 1 };
            for (index, word) in units::words(unit)[..words].iter().enumerate() {
                let marked = word.marked.load(Ordering::Relaxed) & word.allocated.load(Ordering::Relaxed);
                bits::for_each_bit(marked, |bit| {
                    let bytes = if class.is_small() { class.shape().slot_bytes as usize } else { 0 };
                    let start = cage::addr_of(unit) + (index * 64 + bit) * bytes;
                    if let Some(slot) = resolve::locate(start).filter(|slot| !self.is_cached(slot.start())) {
                        self.scan_flagged(&slot);
                    }
                });
                self.scanner.scan_found();
            }
        }
    }

    fn scan_flagged(&mut self, slot: &Slot) {
        let traits = slot.class().kind().traits();
        if traits.is_root() {
            // SAFETY: an object in use.
            unsafe { self.scanner.root_range(Range::sized(slot.start(), slot.bytes()), false) };
        } else if traits.is_fiber() {
            self.scanner.scan_flagged_fiber(slot);
        } else {
            self.scanner.scan_slot(slot);
        }
    }

    /// Offers the values of ephemerons whose keys are live; those whose keys are not, wait. `false`: there was none.
    fn settle_ephemerons(&mut self) -> bool {
        let mut settled_any = false;
        while let Some(pair) = self.scanner.ephemerons.take_fresh() {
            settled_any = true;
            if pair.key_is_live() {
                self.offer(Ambiguous(pair.value()));
            } else {
                self.scanner.ephemerons.await_key(pair);
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
