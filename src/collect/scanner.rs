//! The scanner: one marker's walk from words to objects to their words.
//!
//! An object is marked when it is found, in the side bitmap, and scanned later. What is read in between has been asked
//! for some time before: see [`pipeline`](super::pipeline).
//!
//! The stack of objects that wait has a budget. When it is full, the object stays marked and unscanned and its unit is
//! flagged: [`mark`](super::mark) scans the marked objects of flagged units again.
//!
//! Several scanners may walk the same heap at once, each with its own pipeline. They then set marks by atomic
//! operations, and hand each other objects through [`share`](super::share).
//!
//! Holds:   when `scan_found` returns, what a marked object points to is marked, unless the object waits in `share`, or
//!          its unit is flagged, or another scanner has it.
//! Threads: each scanner is one thread's; the world is stopped.

use super::{
    disguise::{self, Disguises, Forms},
    ephemeron::Ephemerons,
    fibers::{self, Searched},
    filter,
    item::{Item, PIECE_BYTES},
    large::{Large, Piece, Reading},
    pipeline::{Next, Pipeline},
    prefetch,
    share::{Share, Work},
    trace,
    weak_object::Found,
};
use crate::{
    base::{
        addr::{Addr, Ambiguous, ObjRef, Range},
        fifo::Fifo,
    },
    heap::{
        cage::Unit,
        kind::Kind,
        resolve::{self, Slot},
        units,
    },
};

/// So many stacks of fibers are on their way into the cache.
const STACKS: usize = 16;
const ROOT_PIECE_BYTES: usize = 4 << 10;

/// Who walks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// The collecting thread, alone.
    Alone,
    /// The collecting thread, beside helpers.
    Lead,
    /// A helper: it calls no procedure of the program, and leaves ephemerons and weak objects to the lead.
    Helper,
}

/// See the module's documentation.
pub struct Scanner {
    pipeline: Pipeline,
    /// The used parts of fibers' stacks, asked for some time before they are scanned.
    stacks: Fifo<Range, STACKS>,
    role: Role,
    share: &'static Share,
    disguises: Disguises,
    /// A unit was flagged.
    pub overflowed: bool,
    /// Batches marked beside others in this cycle.
    pub shared_batches: u64,
    pub(super) ephemerons: Ephemerons,
    pub(super) weak_words: Found,
}

impl Scanner {
    /// A scanner without memory.
    pub const fn new(share: &'static Share) -> Self {
        Scanner {
            pipeline: Pipeline::new(),
            stacks: Fifo::new(),
            role: Role::Alone,
            share,
            disguises: Disguises::NONE,
            overflowed: false,
            shared_batches: 0,
            ephemerons: Ephemerons::new(),
            weak_words: Found::new(),
        }
    }

    /// Lets the stack have `objects_max` objects.
    pub fn prepare(&mut self, objects_max: usize) {
        self.pipeline.prepare(objects_max);
    }

    /// Whether there is a stack to put objects on.
    pub fn can_take_over(&self) -> bool {
        self.pipeline.stack_limit() != 0
    }

    /// Gives memory back that the last collection needed and the next may not.
    pub fn release(&mut self) {
        self.pipeline.release();
    }

    /// Makes the scanner ready for a new cycle. The world is stopped.
    pub fn begin(&mut self, role: Role) {
        self.role = role;
        self.shared_batches = 0;
        self.disguises = Disguises::of_now();
        self.pipeline.begin(role == Role::Alone);
    }

    /// Goes on as somebody else.
    pub fn become_role(&mut self, role: Role) {
        debug_assert!(self.pipeline.is_settled() || role != Role::Alone);
        self.role = role;
    }

    /// Marks, before [`scan_found`](Self::scan_found) returns, what a word of a root points to, one past an object's end
    /// included. It lies in the hull or one past its end. `before` is the word before it: in a table of neighbours, that
    /// one has led to the object that ends here.
    #[inline]
    fn offer_root(&mut self, word: Ambiguous, before: Ambiguous) {
        self.offer(word);
        if resolve::start_of_end(word).is_some_and(|start| start != Addr::new(before.0)) {
            self.offer(Ambiguous(word.0 - 1));
        }
    }

    /// As [`offer_root`](Self::offer_root), for a word that any address inside an object may be.
    #[inline]
    fn offer_any_inside(&mut self, word: Ambiguous, before: Ambiguous) {
        if self.pipeline.rule().is_any() {
            self.offer_start(word);
        } else {
            self.offer_root(word, before);
        }
    }

    /// As [`offer_any_inside`](Self::offer_any_inside), where words in objects do not keep what any address inside does.
    #[cold]
    #[unsafe(link_section = ".text.hot")]
    fn offer_start(&mut self, word: Ambiguous) {
        let rule = *self.pipeline.rule();
        for (slot, inside) in [(resolve::resolve(word), word.0), (resolve::resolve_end(word), word.0.wrapping_sub(1))] {
            let is_kept = |slot: &Slot| rule.keeps_from_anywhere(slot.class().kind(), inside - slot.start().get());
            if let Some(slot) = slot.filter(is_kept) {
                self.offer(Ambiguous(slot.start().get()));
            }
        }
    }

    /// Marks, before [`scan_found`](Self::scan_found) returns, what a word of an object points to.
    #[inline]
    pub fn offer(&mut self, word: Ambiguous) {
        self.pipeline.add_word(word.0);
        if self.pipeline.is_due() {
            self.turn();
        }
    }

    /// Marks the candidates, whose bit words were asked for at the last turn, and locates a new batch.
    #[inline(never)]
    fn turn(&mut self) {
        if !self.pipeline.has_room() || self.ephemerons.are_waiting() {
            if self.pipeline.rule().is_any() { self.turn_slowly::<true>() } else { self.turn_slowly::<false>() }
        } else {
            // SAFETY: `begin` has asked the processor.
            unsafe {
                match (self.pipeline.has_vectors(), self.pipeline.rule().is_any()) {
                    (true, false) => self.turn_by_bmi::<false>(),
                    (true, true) => self.turn_by_bmi::<true>(),
                    (false, false) => self.turn_plainly::<false>(),
                    (false, true) => self.turn_plainly::<true>(),
                }
            }
        }
    }

    /// As `turn_quickly`: with the instructions of BMI it is a tenth shorter.
    ///
    /// # Safety
    /// The processor has BMI1 and BMI2.
    #[target_feature(enable = "bmi1,bmi2")]
    unsafe fn turn_by_bmi<const BY_RULE: bool>(&mut self) {
        self.turn_quickly::<BY_RULE>();
    }

    /// As `turn_quickly`, on processors that are older.
    #[cold]
    #[inline(never)]
    fn turn_plainly<const BY_RULE: bool>(&mut self) {
        self.turn_quickly::<BY_RULE>();
    }

    /// As `turn`, when the stack has room and no key is waited for.
    #[inline(always)]
    fn turn_quickly<const BY_RULE: bool>(&mut self) {
        if self.role == Role::Alone {
            self.turn_alone::<BY_RULE>();
        } else {
            self.turn_together::<BY_RULE>();
            self.shared_batches += 1;
            self.hand_over();
        }
    }

    #[inline(always)]
    fn turn_alone<const BY_RULE: bool>(&mut self) {
        if self.pipeline.goes_near() {
            // SAFETY: `has_room` has seen to room for all words.
            return unsafe { self.pipeline.turn_near::<BY_RULE>() };
        }
        self.pipeline.turn::<false, BY_RULE>(|stack, candidates| {
            let marked = candidates.iter().map(|candidate| {
                let is_new = candidate.bits.word().mark_allocated(candidate.bits.bit());
                (candidate.item, is_new & candidate.item.is_to_be_scanned())
            });
            // SAFETY: `has_room` has seen to room for all candidates.
            unsafe { stack.extend_if(marked) };
        });
    }

    /// Neighbours are often found one after the other: an atomic operation for each run of candidates with one word.
    #[inline(always)]
    fn turn_together<const BY_RULE: bool>(&mut self) {
        self.pipeline.turn::<true, BY_RULE>(|stack, candidates| {
            for run in candidates.chunk_by(|one, next| core::ptr::eq(one.bits.word(), next.bits.word())) {
                let wanted = run.iter().fold(0, |bits, candidate| bits | 1 << candidate.bits.bit());
                let mut new = run[0].bits.word().mark_allocated_together(wanted);
                for candidate in run {
                    let is_new = new >> candidate.bits.bit() & 1 == 1;
                    // The same slot may come twice.
                    new &= !(1 << candidate.bits.bit());
                    // SAFETY: `has_room` has seen to room for all candidates.
                    unsafe { stack.push_if(candidate.item, is_new & candidate.item.is_to_be_scanned()) };
                }
            }
        });
    }

    /// As `turn`, when the stack may fill up or objects are keys of ephemerons.
    #[cold]
    fn turn_slowly<const BY_RULE: bool>(&mut self) {
        let Scanner { pipeline, ephemerons, overflowed, .. } = self;
        let limit = pipeline.stack_limit();
        pipeline.turn::<true, BY_RULE>(|stack, candidates| {
            for candidate in candidates {
                if candidate.bits.word().mark_allocated_together(1 << candidate.bits.bit()) == 0 {
                    continue;
                }
                if candidate.item.is_to_be_scanned() && !stack.push_within(candidate.item, limit) {
                    *overflowed = true;
                    if let Some(slot) = resolve::locate(candidate.item.start()) {
                        units::flag_unscanned(slot.unit());
                    }
                }
                if ephemerons.are_waiting() {
                    ephemerons.wake(ObjRef::claim(candidate.item.start()));
                }
            }
        });
    }

    /// Hands objects over when others have nothing to do.
    #[inline(always)]
    fn hand_over(&mut self) {
        if self.share.is_hungry() {
            let share = self.share;
            self.pipeline.give_oldest(|items| share.give(items));
        }
    }

    /// Marks what the words of a root range point to: by the rule for words in objects, unless any address inside keeps one.
    ///
    /// # Safety
    /// The range may be read.
    pub unsafe fn root_range(&mut self, range: Range, is_any_inside: bool) {
        // Aligned first, so that no word lies across two pieces.
        let mut rest = Range::new(range.start.align_up(size_of::<usize>()), range.end);
        while !rest.is_empty() {
            let end = rest.end.min(rest.start + ROOT_PIECE_BYTES);
            // A disguised word that begins in this piece may end in the next.
            let overlap = if self.disguises.root.are_disguised() { size_of::<usize>() - 1 } else { 0 };
            // SAFETY: by the caller's promise.
            unsafe { self.root_words(Range::new(rest.start, rest.end.min(end + overlap)), is_any_inside) };
            rest.start = end;
            self.relieve();
        }
    }

    /// Marks what the words of a part of a root point to.
    unsafe fn root_words(&mut self, range: Range, is_any_inside: bool) {
        let (hull, forms, mut before) = (self.pipeline.hull(), self.disguises.root, Ambiguous(0));
        let mut offer = |word, before| {
            if is_any_inside { self.offer_any_inside(word, before) } else { self.offer_root(word, before) }
        };
        if forms.are_disguised() {
            // SAFETY: by the caller's promise.
            return unsafe { forms.words(range, false, hull, |word| offer(word, Ambiguous(0))) };
        }
        let visit = |word| offer(word, core::mem::replace(&mut before, word));
        // SAFETY: by the caller's promise.
        unsafe { filter::words_within(range, hull, visit) };
    }

    /// As [`root_range`](Self::root_range), for a stack or registers: words at any byte.
    ///
    /// # Safety
    /// The range may be read.
    pub unsafe fn stack_range(&mut self, range: Range) {
        let mut rest = range;
        while !rest.is_empty() {
            let end = rest.end.min(rest.start + ROOT_PIECE_BYTES);
            // A word that begins in this piece may end in the next.
            // SAFETY: by the caller's promise.
            unsafe { self.stack_words(Range::new(rest.start, rest.end.min(end + (size_of::<usize>() - 1)))) };
            rest.start = end;
            self.relieve();
        }
    }

    /// Marks what the words of a part of a stack point to, at whatever byte they begin.
    unsafe fn stack_words(&mut self, range: Range) {
        let (hull, forms, mut before) = (self.pipeline.hull(), self.disguises.stack, Ambiguous(0));
        if forms.are_disguised() {
            // SAFETY: by the caller's promise.
            return unsafe { forms.words(range, true, hull, |word| self.offer_any_inside(word, Ambiguous(0))) };
        }
        let visit = |word| self.offer_any_inside(word, core::mem::replace(&mut before, word));
        // SAFETY: by the caller's promise.
        unsafe { filter::words_at_any_byte_within(range, hull, visit) };
    }

    /// Marks an uncollectable object, and what its words point to: they are roots. Objects in magazines are marked already,
    /// and have none.
    pub fn root_object(&mut self, slot: &Slot) {
        debug_assert!(!self.ephemerons.are_waiting());
        let traits = slot.class().kind().traits();
        if !slot.word().mark_allocated(slot.bit()) {
            return;
        }
        if traits.is_root() {
            // SAFETY: an object in use.
            unsafe { self.root_range(Range::sized(slot.start(), slot.bytes()), false) };
        } else {
            self.scan_slot(slot);
            self.relieve();
        }
    }

    /// Empties a half full stack before more roots are read: a large table of roots would fill it otherwise.
    #[inline]
    pub fn relieve(&mut self) {
        if self.pipeline.is_half_full() {
            self.scan_found();
        }
    }

    /// Flags a unit with a marked object that could not be kept for scanning.
    #[cold]
    fn come_back(&mut self, unit: Unit) {
        self.overflowed = true;
        units::flag_unscanned(unit);
    }

    /// Scans what is in the pipeline until nothing is, but for rests of large objects.
    pub fn scan_found(&mut self) {
        loop {
            let is_alone = self.role == Role::Alone && !self.ephemerons.are_waiting();
            let next = if is_alone && self.pipeline.goes_near() {
                self.pipeline.scan_near()
            } else {
                self.pipeline.scan(is_alone)
            };
            match next {
                Next::Turn => self.turn(),
                Next::Object(item) => {
                    if let Some(slot) = resolve::locate(item.start()) {
                        self.scan_slot(&slot);
                    }
                }
                Next::Nothing if self.scan_stack() => {}
                Next::Nothing => return,
            }
        }
    }

    /// Scans what others hand over, if they have not ended yet.
    pub fn help(&mut self) {
        if self.share.join() {
            self.scan_together();
        }
    }

    /// Scans with others until nobody has anything left.
    pub fn scan_together(&mut self) {
        loop {
            self.scan_found();
            let is_lead = self.role == Role::Lead;
            match self.share.next(is_lead, |items| self.pipeline.take_over(items)) {
                Work::Objects => {}
                Work::Piece(piece) => self.scan_part(piece),
                Work::Over => return,
            }
        }
    }

    /// Scans an object of any kind and size.
    #[inline(never)]
    pub fn scan_slot(&mut self, slot: &Slot) {
        let traits = slot.class().kind().traits();
        if traits.is_root() {
            let range = Range::sized(slot.start(), slot.bytes());
            if range.bytes() > ROOT_PIECE_BYTES {
                // More than the stack may have room for: who scans flagged units relieves it meanwhile.
                self.come_back(slot.unit());
            } else {
                // SAFETY: an object in use.
                unsafe { self.root_words(range, false) };
            }
        } else if traits.is_conservative() {
            let range = Range::sized(slot.start(), slot.bytes());
            let whole = if disguise::may_be_packed(slot) { Piece::of_packed(range) } else { Piece::of_object(range) };
            if !Large::is_for(range) {
                self.scan_part(whole);
            } else if !self.share.add_large(whole) {
                self.come_back(slot.unit());
            }
        } else if traits.is_fiber() {
            self.scan_fiber(slot);
        } else if traits.is_typed() || !traits.may_hold_pointers() {
            trace::children(slot, |word| self.offer(word));
        } else if self.role == Role::Helper {
            if !self.share.leave_to_lead(Item::of(slot)) {
                self.come_back(slot.unit());
            }
        } else if traits.is_weak() {
            match slot.class().kind() {
                Kind::WEAK_WORDS => self.weak_words.add(slot.object()),
                Kind::EPHEMERONS => self.ephemerons.found_array(slot.object()),
                _ => self.ephemerons.found(slot.object()),
            }
        } else {
            trace::children(slot, |word| self.offer(word));
        }
    }

    /// Scans the record of a fiber, and what it uses of its stack: as roots are read, and a long one as a large object is.
    fn scan_fiber(&mut self, slot: &Slot) {
        let fiber = fibers::of(slot);
        fibers::fields(fiber).into_iter().for_each(|word| self.offer(word));
        match fibers::searched(fiber) {
            Searched::Nothing => {}
            Searched::Words(range) if !Large::is_for(range) => {
                prefetch::range(range);
                if self.stacks.is_full() {
                    self.scan_stack();
                }
                self.stacks.push(range);
            }
            Searched::Words(range) => {
                if !self.share.add_large(Piece::of_stack(range)) {
                    self.come_back(slot.unit());
                }
            }
            // SAFETY: what is handed out has been copied.
            Searched::Readable(range) => fibers::readable(range, |part| unsafe { self.stack_words(part) }),
        }
    }

    /// Scans the stack that has been asked for first. `false`: there is none.
    fn scan_stack(&mut self) -> bool {
        let stack = self.stacks.pop();
        if let Some(range) = stack {
            self.scan_part(Piece::of_stack(range));
        }
        stack.is_some()
    }

    /// As `scan_fiber`, for who scans flagged units: however long the stack is, the mark stack does not fill up.
    pub fn scan_flagged_fiber(&mut self, slot: &Slot) {
        let fiber = fibers::of(slot);
        match fibers::searched(fiber) {
            Searched::Words(range) if Large::is_for(range) => {
                fibers::fields(fiber).into_iter().for_each(|word| self.offer(word));
                // SAFETY: the used part of a parked stack may be read.
                unsafe { self.stack_range(range) };
            }
            _ => self.scan_fiber(slot),
        }
    }

    /// Scans a part of something large, or what is read as that.
    pub fn scan_part(&mut self, piece: Piece) {
        match piece.reading {
            Reading::Words => return self.scan_range(piece.range),
            Reading::Packed => return self.scan_packed(piece.range),
            Reading::Stack => {}
        }
        let mut rest = piece.range;
        while !rest.is_empty() {
            let end = rest.end.min(rest.start + ROOT_PIECE_BYTES);
            // SAFETY: part of a parked stack.
            unsafe { self.stack_words(Range::new(rest.start, rest.end.min(end + (size_of::<usize>() - 1)))) };
            rest.start = end;
        }
    }

    /// Scans a range of an object's words.
    pub fn scan_range(&mut self, range: Range) {
        if self.disguises.object.are_disguised() {
            return self.scan_disguised(range, self.disguises.object);
        }
        self.scan_pieces(range);
    }

    /// Scans a range of an object's words, and what lies across two of them.
    fn scan_packed(&mut self, range: Range) {
        let forms = self.disguises.object;
        if forms.are_disguised() || !self.pipeline.has_vectors() {
            return self.scan_disguised(range, forms.packed());
        }
        self.scan_pieces(range);
        // Four bytes further on, where a register of words can be loaded as well; the last word has none behind it.
        let half = size_of::<usize>() / 2;
        let end = (range.end + half).min(Addr::new(object_end(range).get() - half));
        self.scan_pieces(Range::new(range.start + half, end));
    }

    fn scan_pieces(&mut self, range: Range) {
        let mut rest = range;
        while !rest.is_empty() {
            let piece = Range::new(rest.start, rest.end.min(rest.start + PIECE_BYTES));
            self.scan_piece(piece);
            rest.start = piece.end;
        }
    }

    /// Scans a range of an object's words, each in every form. The last may end beyond it, but not beyond the object.
    #[cold]
    fn scan_disguised(&mut self, range: Range, forms: Forms) {
        let hull = self.pipeline.hull();
        let overlapping = Range::new(range.start, object_end(range).min(range.end + (size_of::<usize>() - 1)));
        // SAFETY: part of an object in use.
        unsafe { forms.words(overlapping, false, hull, |word| self.offer(word)) };
    }

    /// Scans at most [`PIECE_BYTES`] of an object.
    fn scan_piece(&mut self, piece: Range) {
        // SAFETY: part of an object in use.
        unsafe { self.pipeline.add_words(piece) };
        if self.pipeline.is_due() {
            self.turn();
        }
    }
}

/// Where the object ends that a range is part of.
fn object_end(range: Range) -> Addr {
    resolve::locate(range.start).map_or(range.end, |slot| slot.start() + slot.bytes())
}
