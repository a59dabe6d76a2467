//! The pipeline: what waits between a word that looks like an address and the scan of the object behind it.
//!
//! Marking is bound by memory that is read in no order and by branches that nobody can predict. So nothing is read
//! before it has been asked for some time ago, and each stage does one thing for many, without a branch on data:
//!
//! ```text
//!   words        addresses within the heap's range                   a batch of 32 is located, its bit words prefetched
//!   candidates   slots whose bit words are on their way              marked when the next batch is located
//!   stack        marked objects                                      last in, first out
//!   prefetched   objects whose cache lines are on their way          scanned up to 64 objects later
//! ```
//!
//! The stack keeps the walk depth first, which is how most heaps were built; the queue behind it delays that by a little.
//!
//! A prefetch waits until the address is translated, and in a large heap nearly every object lies in a page of its own. The
//! processor translates several addresses at once, if the instructions that ask for them are close together. So each
//! stage does all of its prefetches in a row.
//!
//! A marker that is alone in a small heap takes a shorter way: `near`.
//!
//! Holds:   a marked object that has still to be scanned is in stack or prefetched, once, or waits as a large one, or its
//!          unit is flagged.
//! Threads: each scanner has its own; the world is stopped.

mod map;
mod near;

use super::{
    displacement::Rule,
    filter::{self, Avx2, PACK_SLACK, Pack, Plain},
    item::{Item, PIECE, PIECE_BYTES},
    prefetch,
    share::HANDFUL,
    table::List,
};
use crate::{
    base::{
        addr::{Addr, Range},
        fifo::Fifo,
    },
    heap::{
        cage,
        resolve::{self, BitPlace, Place, View},
    },
};
use core::mem::MaybeUninit;
use map::Map;

/// Words that make a batch.
const BATCH: usize = 32;
/// Words of a pipeline that has run dry.
const FEW: usize = 4;
/// So few objects on their way are not worth waiting for.
const DRY: usize = 8;
/// The part of the stack whose pages stay from one collection to the next.
const KEPT_BYTES: usize = 1 << 20;
const WORDS: usize = 256;
/// A stack of so many objects has some to give away.
const PLENTY: usize = 16;
const PREFETCHED: usize = 64;

const _: () = assert!(BATCH + PIECE + PACK_SLACK + FEW <= WORDS && WORDS.is_power_of_two());

/// A slot that some word points into: in use or not, marked or not.
#[derive(Clone, Copy)]
pub struct Candidate {
    /// The object, if there is one.
    pub item: Item,
    /// Where its bits are.
    pub bits: BitPlace,
}

impl Candidate {
    #[inline(always)]
    fn of(place: Place) -> Candidate {
        Candidate { item: Item::at(place), bits: place.bits }
    }

    /// The slot that an address lies in, found the long way.
    #[cold]
    #[inline(never)]
    #[unsafe(link_section = ".text.hot")]
    fn located(addr: usize) -> Option<Candidate> {
        resolve::locate(Addr::new(addr)).map(|slot| Candidate::of(slot.into()))
    }

    /// The slot that an address lies in, if it keeps what is in the slot by a rule.
    #[inline(always)]
    fn by_rule(rule: &Rule, view: &View, addr: usize) -> Option<Candidate> {
        #[cold]
        #[inline(never)]
        #[unsafe(link_section = ".text.hot")]
        fn located(addr: usize) -> Option<Place> {
            resolve::locate(Addr::new(addr)).map(Place::from)
        }
        let place = view.place(addr).or_else(|| located(addr))?;
        rule.keeps(place.class.kind(), addr - place.start.get()).then(|| Candidate::of(place))
    }

    /// Asks for the bits: `IS_SHARED`, as its own, which other markers may have at the moment.
    #[inline(always)]
    fn prefetch_bits<const IS_SHARED: bool>(&self) {
        let address = core::ptr::from_ref(self.bits.word()) as usize;
        if IS_SHARED { prefetch::line_to_write(address) } else { prefetch::line(address) }
    }
}

/// What a pipeline needs next.
pub enum Next {
    /// A [`turn`](Pipeline::turn).
    Turn,
    /// Somebody who scans this object, which is large, or of a kind that says itself where its pointers are.
    Object(Item),
    /// Nothing: it is empty.
    Nothing,
}

/// See the module's documentation.
pub struct Pipeline {
    view: View,
    rule: Rule,
    /// Words outside are no addresses of the heap's.
    hull: Range,
    has_vectors: bool,
    /// See `near`.
    is_near: bool,
    /// Of the heap, if it is near.
    map: Map,
    words: [MaybeUninit<usize>; WORDS],
    words_count: usize,
    candidates: [MaybeUninit<Candidate>; WORDS],
    candidates_count: usize,
    stack: List<Item>,
    /// So many at the bottom of the stack have been given away.
    given: usize,
    stack_limit: usize,
    prefetched: Fifo<Item, PREFETCHED>,
}

impl Pipeline {
    /// An empty one, without memory.
    pub const fn new() -> Self {
        Pipeline {
            view: View::EMPTY,
            rule: Rule::NONE,
            hull: Range { start: Addr::NULL, end: Addr::NULL },
            has_vectors: false,
            is_near: false,
            map: Map::new(),
            words: [const { MaybeUninit::uninit() }; WORDS],
            words_count: 0,
            candidates: [const { MaybeUninit::uninit() }; WORDS],
            candidates_count: 0,
            stack: List::new(),
            given: 0,
            stack_limit: 0,
            prefetched: Fifo::new(),
        }
    }

    /// Lets the stack have `objects_max` objects. Where the system refuses, it stays as it is: it may be full more often.
    pub fn prepare(&mut self, objects_max: usize) {
        let _ = self.stack.reserve(objects_max);
        self.map.prepare();
        self.stack_limit = objects_max.min(self.stack.room());
    }

    /// Takes a look at the heap, which stays as it is from now on, for a marker that may be alone. The world is stopped.
    pub fn begin(&mut self, is_alone: bool) {
        self.view = View::of_now();
        self.rule = Rule::of_now();
        self.hull = cage::hull();
        self.has_vectors = filter::has_vectors();
        self.is_near = is_alone && self.map_near_heap();
    }

    /// Whether [`filter::has_vectors`].
    #[inline(always)]
    pub fn has_vectors(&self) -> bool {
        self.has_vectors
    }

    /// Which addresses keep objects.
    #[inline(always)]
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Words outside are no addresses of the heap's.
    #[inline(always)]
    pub fn hull(&self) -> Range {
        self.hull
    }

    /// Gives the pages of a large stack back.
    pub fn release(&mut self) {
        self.stack.forget_pages_beyond(KEPT_BYTES);
    }

    /// Adds a word if it lies in the hull. At most [`PIECE`] words may be added before [`is_due`](Self::is_due) is asked.
    #[inline(always)]
    pub fn add_word(&mut self, word: usize) {
        // Written in any case and counted if wanted: no branch to predict.
        self.words[self.words_count % WORDS].write(word);
        self.words_count += usize::from(word.wrapping_sub(self.hull.start.get()) < self.hull.bytes());
    }

    /// Adds those of the words of a range that lie in the hull: at most [`PIECE`] before [`is_due`](Self::is_due) is asked.
    ///
    /// # Safety
    /// The range may be read.
    pub unsafe fn add_words(&mut self, range: Range) {
        /// # Safety
        /// As for `add_words`, and the processor has AVX2.
        #[target_feature(enable = "avx2,popcnt")]
        unsafe fn add_by_avx2(pipeline: &mut Pipeline, range: Range) {
            // SAFETY: by the caller's promise.
            unsafe { pipeline.pack::<Avx2>(range) };
        }
        // SAFETY: by the caller's promise; `begin` has asked the processor.
        unsafe { if self.has_vectors { add_by_avx2(self, range) } else { self.pack::<Plain>(range) } }
    }

    /// # Safety
    /// As for [`add_words`](Self::add_words), and the processor has what `P` needs.
    #[inline(always)]
    unsafe fn pack<P: Pack>(&mut self, range: Range) {
        debug_assert!(self.words_count < BATCH && range.bytes() <= PIECE_BYTES);
        let words = self.words.as_mut_ptr().cast::<usize>();
        // SAFETY: by the caller's promise the range may be read, and with a whole piece there are fewer than `WORDS`.
        unsafe {
            let end = P::pack(range.start, range.end, self.hull, words.add(self.words_count));
            self.words_count = end.offset_from_unsigned(words);
        }
    }

    /// Scans objects until there are words for a turn, or something else is to be done first. Where the marker `is_alone`,
    /// and a mark calls for nothing else, lists are followed to their end.
    pub fn scan(&mut self, is_alone: bool) -> Next {
        /// # Safety
        /// The processor has AVX2.
        #[target_feature(enable = "avx2,popcnt")]
        unsafe fn scan_by_avx2<const BY_RULE: bool>(pipeline: &mut Pipeline, is_alone: bool) -> Next {
            // SAFETY: by the caller's promise.
            unsafe { pipeline.scan_with::<Avx2, BY_RULE>(is_alone) }
        }
        /// Processors without it are older than 2013.
        #[cold]
        #[inline(never)]
        fn scan_plainly<const BY_RULE: bool>(pipeline: &mut Pipeline, is_alone: bool) -> Next {
            // SAFETY: it needs nothing of the processor.
            unsafe { pipeline.scan_with::<Plain, BY_RULE>(is_alone) }
        }
        // SAFETY: `begin` has asked the processor.
        unsafe {
            match (self.has_vectors, self.rule.is_any()) {
                (true, false) => scan_by_avx2::<false>(self, is_alone),
                (true, true) => scan_by_avx2::<true>(self, is_alone),
                (false, false) => scan_plainly::<false>(self, is_alone),
                (false, true) => scan_plainly::<true>(self, is_alone),
            }
        }
    }

    /// # Safety
    /// The processor has what `P` needs.
    #[inline(always)]
    unsafe fn scan_with<P: Pack, const BY_RULE: bool>(&mut self, is_alone: bool) -> Next {
        while !self.is_due() {
            if self.prefetched.count() <= PREFETCHED / 2 {
                self.prefetch_objects();
            }
            let count = self.prefetched.count();
            if count > PREFETCHED / 2 {
                // SAFETY: by the caller's promise.
                if let Some(item) = unsafe { self.scan_prefetched::<P>(count - PREFETCHED / 2) } {
                    return Next::Object(item);
                }
            } else if count > DRY || count != 0 && self.is_settled() {
                // SAFETY: by the caller's promise.
                if let Some(item) = unsafe { self.scan_prefetched::<P>(1) } {
                    return Next::Object(item);
                }
            } else if self.is_settled() {
                return Next::Nothing;
            } else if is_alone && self.has_one_word() {
                if let Some((item, start)) = self.follow_word::<BY_RULE>() {
                    if item.word_count() > PIECE {
                        return Next::Object(item);
                    }
                    let words = Range::sized(start, item.word_count() * size_of::<usize>());
                    // What is found in a short object is there sooner without a way through the vector registers.
                    // SAFETY: of an object in use; and by the caller's promise.
                    unsafe { if item.word_count() <= FEW { self.pack::<Plain>(words) } else { self.pack::<P>(words) } };
                }
            } else {
                // A pipeline that runs dry asks for candidates while some objects are still on their way.
                return Next::Turn;
            }
        }
        Next::Turn
    }

    /// Scans at most `count` of the objects that have been asked for, while there is room for words. The first that is no
    /// plain words.
    ///
    /// # Safety
    /// The processor has what `P` needs.
    #[inline(always)]
    unsafe fn scan_prefetched<P: Pack>(&mut self, count: usize) -> Option<Item> {
        let (hull, words) = (self.hull, self.words.as_mut_ptr().cast::<usize>());
        // SAFETY: fewer than `BATCH` words are there.
        let (due, mut end) = unsafe { (words.add(BATCH), words.add(self.words_count)) };
        let mut other = None;
        for _ in 0..count {
            let Some(item) = self.prefetched.pop() else { break };
            if item.word_count() > PIECE {
                other = Some(item);
                break;
            }
            let start = item.start();
            // SAFETY: of an object in use; there is room for a piece more; and by the caller's promise.
            end = unsafe { P::pack(start, start + item.word_count() * size_of::<usize>(), hull, end) };
            if end >= due {
                break;
            }
        }
        // SAFETY: both point to the same array.
        self.words_count = unsafe { end.offset_from_unsigned(words) };
        other
    }

    /// Whether a word is all there is in the pipeline, but for the stack.
    #[inline(always)]
    fn has_one_word(&self) -> bool {
        self.words_count == 1 && self.candidates_count == 0 && self.prefetched.is_empty()
    }

    /// Takes the one word and marks what it points to: the object, if it is new and has words to scan, and where it begins.
    /// Along a list there is nothing to do meanwhile; the processor reads the bits and the object at the same time. It bets
    /// that the word is where the object begins, as branches go, and has read it before it knows.
    #[inline(always)]
    fn follow_word<const BY_RULE: bool>(&mut self) -> Option<(Item, Addr)> {
        /// Elsewhere, so that the choice stays a branch.
        #[cold]
        #[inline(never)]
        #[unsafe(link_section = ".text.hot")]
        fn start_of(item: Item) -> Addr {
            item.start()
        }
        self.words_count = 0;
        // SAFETY: the first word was there.
        let word = unsafe { self.words[0].assume_init() };
        let candidate = if BY_RULE {
            Candidate::by_rule(&self.rule, &self.view, word)?
        } else {
            self.view.place(word).map(Candidate::of).or_else(|| Candidate::located(word))?
        };
        let (word, item) = (Addr::new(word), candidate.item);
        let is_new = candidate.bits.word().mark_allocated(candidate.bits.bit());
        let start = if item.start() == word { word } else { start_of(item) };
        (is_new && item.is_to_be_scanned()).then_some((item, start))
    }

    /// Moves objects from the stack to the queue and asks for their lines, many at once.
    #[inline(always)]
    fn prefetch_objects(&mut self) {
        while !self.prefetched.is_full() {
            let Some(item) = self.pop() else { return };
            prefetch::object(item);
            self.prefetched.push(item);
        }
    }

    /// Whether a batch of words has come together.
    #[inline(always)]
    pub fn is_due(&self) -> bool {
        self.words_count >= BATCH
    }

    /// Hands out the candidates, and makes candidates of the words.
    ///
    /// Each step is done for all of them before the next: see the module's documentation.
    #[inline(always)]
    pub fn turn<const IS_SHARED: bool, const BY_RULE: bool>(
        &mut self,
        mut mark: impl FnMut(&mut List<Item>, &[Candidate]),
    ) {
        self.hand_out(&mut mark);
        let (view, rule) = (self.view, self.rule);
        let candidates = self.candidates.as_mut_ptr().cast::<Candidate>();
        let mut count = 0;
        for word in &self.words[..self.words_count] {
            // SAFETY: the first `words_count` were written by `add_word` and `pack`.
            let word = unsafe { word.assume_init() };
            if BY_RULE {
                if let Some(candidate) = Candidate::by_rule(&rule, &view, word) {
                    // SAFETY: there is room for as many as there are words.
                    unsafe { candidates.add(count).write(candidate) };
                    count += 1;
                }
                continue;
            }
            // Each way ends by itself, so that the usual one does not have to bring its results where the other has them.
            if let Some(place) = view.place(word) {
                // SAFETY: there is room for as many as there are words.
                unsafe { candidates.add(count).write(Candidate::of(place)) };
                count += 1;
            } else if let Some(candidate) = Candidate::located(word) {
                // SAFETY: as above.
                unsafe { candidates.add(count).write(candidate) };
                count += 1;
            }
        }
        self.words_count = 0;
        self.candidates_count = count;
        // SAFETY: written above.
        for candidate in unsafe { self.candidates[..count].assume_init_ref() } {
            candidate.prefetch_bits::<IS_SHARED>();
            if count <= FEW {
                prefetch::line(candidate.item.start().get());
            }
        }
        if count <= FEW {
            // There is nothing to do meanwhile: the object is on its way beside its bits.
            self.hand_out(&mut mark);
        }
    }

    #[inline(always)]
    fn hand_out(&mut self, mark: &mut impl FnMut(&mut List<Item>, &[Candidate])) {
        // SAFETY: the first `candidates_count` were written by `turn`.
        mark(&mut self.stack, unsafe { self.candidates[..self.candidates_count].assume_init_ref() });
        self.candidates_count = 0;
    }

    /// Whether no word and no candidate waits.
    #[inline]
    pub fn is_settled(&self) -> bool {
        self.words_count == 0 && self.candidates_count == 0
    }

    /// The most objects that the stack may have.
    pub fn stack_limit(&self) -> usize {
        self.stack_limit
    }

    /// Whether the stack has room for all that may come out of one [`turn`](Self::turn).
    #[inline(always)]
    pub fn has_room(&mut self) -> bool {
        self.stack.len() + WORDS <= self.stack_limit || self.has_room_without_gap()
    }

    #[cold]
    fn has_room_without_gap(&mut self) -> bool {
        self.stack.remove_front(self.given);
        self.given = 0;
        self.stack.len() + WORDS <= self.stack_limit
    }

    #[inline(always)]
    fn pop(&mut self) -> Option<Item> {
        if self.stack.len() > self.given {
            return self.stack.pop();
        }
        self.stack.clear();
        self.given = 0;
        None
    }

    /// Offers those of the oldest half of the stack, which leads to most, that any marker may scan to `give`, which says how
    /// many it has taken from the front.
    pub fn give_oldest(&mut self, give: impl FnOnce(&[Item]) -> usize) {
        let waiting = &mut self.stack.as_mut_slice()[self.given..];
        if waiting.len() < PLENTY {
            return;
        }
        let half = waiting.len() / 2;
        let offered = &mut waiting[..half.min(HANDFUL)];
        let mut count = 0;
        for index in 0..offered.len() {
            if offered[index].is_for_any_marker() {
                offered.swap(index, count);
                count += 1;
            }
        }
        if count != 0 {
            self.given += give(&offered[..count]);
        }
    }

    /// Puts objects on the stack, as many as fit: how many, from the front.
    pub fn take_over(&mut self, items: &[Item]) -> usize {
        items.iter().take_while(|&&item| self.stack.push_within(item, self.stack_limit)).count()
    }

    /// Whether half of the stack is in use.
    #[inline]
    pub fn is_half_full(&self) -> bool {
        self.stack.len() > self.stack_limit / 2
    }
}
