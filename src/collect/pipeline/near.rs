//! The way through a heap that is near: its bit words lie in the caches.
//!
//! There instructions take the time, not memory. So a `map` has all that is asked of a unit in one place, and a word is marked
//! as soon as it is located: it does not become a candidate first, whose bit word would be on its way meanwhile. And
//! objects are asked for and scanned in rounds: how many is known before the first is read, so the processor need not wait
//! for one to know whether there is another.
//!
//! ```text
//!   stack        marked objects                                   last in, first out
//!   prefetched   objects whose cache lines are on their way       a round is scanned while the next is asked for
//!   words        addresses within the heap's range                located and marked, all at once
//! ```
//!
//! Holds:   no candidate waits.
//! Threads: a marker that is alone.

use super::{BATCH, FEW, Next, PREFETCHED, Pipeline, WORDS};
use crate::{
    base::addr::Addr,
    collect::{
        displacement::Rule,
        filter::{Avx2, PACK_SLACK, Pack, Plain},
        item::{Item, PIECE},
        prefetch,
    },
    heap::resolve::{self, View},
};

/// The words of a pair, of which lists are made.
const PAIR: usize = 2;
/// Objects that are asked for, and scanned, at once.
const ROUND: usize = 32;
/// So many words leave room for those of another object.
const FULL: usize = WORDS - PIECE - PACK_SLACK;

impl Pipeline {
    /// Makes the map of a heap that is near. `false`: it is not, or it has no room.
    pub(super) fn map_near_heap(&mut self) -> bool {
        self.view.range() == self.hull && self.map.fill(&self.view)
    }

    /// Whether words are marked as they are located: the heap is near, and no candidate waits.
    #[inline(always)]
    pub fn goes_near(&self) -> bool {
        self.is_near && self.candidates_count == 0
    }

    /// As [`scan`](Self::scan) for a marker that is alone, which [goes near](Self::goes_near), and where a mark calls for nothing
    /// else.
    pub fn scan_near(&mut self) -> Next {
        /// # Safety
        /// The processor has AVX2, BMI1 and BMI2.
        #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
        unsafe fn scan_by_avx2<const BY_RULE: bool>(pipeline: &mut Pipeline) -> Next {
            // SAFETY: by the caller's promise.
            unsafe { pipeline.scan_near_with::<Avx2, BY_RULE>() }
        }
        /// Processors without them are older than 2013.
        #[cold]
        #[inline(never)]
        fn scan_plainly<const BY_RULE: bool>(pipeline: &mut Pipeline) -> Next {
            // SAFETY: it needs nothing of the processor.
            unsafe { pipeline.scan_near_with::<Plain, BY_RULE>() }
        }
        // SAFETY: `begin` has asked the processor.
        unsafe {
            match (self.has_vectors, self.rule.is_any()) {
                (true, false) => scan_by_avx2::<false>(self),
                (true, true) => scan_by_avx2::<true>(self),
                (false, false) => scan_plainly::<false>(self),
                (false, true) => scan_plainly::<true>(self),
            }
        }
    }

    /// # Safety
    /// The processor has what `P` needs.
    #[inline(always)]
    unsafe fn scan_near_with<P: Pack, const BY_RULE: bool>(&mut self) -> Next {
        loop {
            // SAFETY: by the caller's promise.
            if let Some(item) = unsafe { self.scan_round::<P>() } {
                return Next::Object(item);
            }
            if self.words_count == 0 {
                if self.prefetched.is_empty() {
                    return Next::Nothing;
                }
            } else if !self.has_room() {
                return Next::Turn;
            } else if self.has_one_word() && self.stack.len() == self.given {
                // SAFETY: by the caller's promise.
                if let Some(item) = unsafe { self.follow_list::<P, BY_RULE>() } {
                    return Next::Object(item);
                }
            } else {
                // SAFETY: there is room.
                unsafe { self.turn_near::<BY_RULE>() };
            }
        }
    }

    /// Follows the one word there is, as long as each object leads to one other. The first that is no plain words.
    ///
    /// # Safety
    /// The processor has what `P` needs.
    #[inline(always)]
    unsafe fn follow_list<P: Pack, const BY_RULE: bool>(&mut self) -> Option<Item> {
        loop {
            let (item, start) = self.follow_word::<BY_RULE>()?;
            if item.word_count() > PIECE {
                return Some(item);
            }
            // SAFETY: of an object in use; and by the caller's promise.
            unsafe { self.pack_object::<P>(start, item.word_count()) };
            if self.words_count != 1 {
                return None;
            }
        }
    }

    /// # Safety
    /// As for [`pack`](Self::pack): an object of so many words.
    #[inline(always)]
    unsafe fn pack_object<P: Pack>(&mut self, start: Addr, word_count: usize) {
        let words = self.words.as_mut_ptr().cast::<usize>();
        let end = start + word_count * size_of::<usize>();
        // SAFETY: by the caller's promise.
        unsafe {
            let to = words.add(self.words_count);
            let to = if word_count <= FEW {
                Plain::pack(start, end, self.hull, to)
            } else {
                P::pack(start, end, self.hull, to)
            };
            self.words_count = to.offset_from_unsigned(words);
        }
    }

    /// Scans the objects of the queue, while there is room for words, and asks for a round of those on the stack meanwhile: one
    /// after the other, since a processor that waits for many lines takes no more. The first that is no plain words is given
    /// back; where that comes behind many words, it waits.
    ///
    /// # Safety
    /// The processor has what `P` needs.
    #[inline(always)]
    unsafe fn scan_round<P: Pack>(&mut self) -> Option<Item> {
        let (hull, words) = (self.hull, self.words.as_mut_ptr().cast::<usize>());
        // SAFETY: fewer than `BATCH` words are there.
        let (due, full, mut end) = unsafe { (words.add(BATCH), words.add(FULL), words.add(self.words_count)) };
        let count = self.prefetched.count();
        let waiting = &self.stack.as_slice()[self.given..];
        let rest = waiting.len() - waiting.len().min(ROUND).min(PREFETCHED - count);
        let mut asked = waiting[rest..].iter().rev();
        let mut other = None;
        for _ in 0..count {
            if let Some(&item) = asked.next() {
                prefetch::near_object(item);
                self.prefetched.push(item);
            }
            let Some(item) = self.prefetched.first() else { break };
            let word_count = item.word_count();
            if word_count > PIECE {
                // Who scans it adds words, and wants room.
                if end < due {
                    other = self.prefetched.pop();
                }
                break;
            }
            self.prefetched.pop();
            let start = item.start();
            // SAFETY: of an object in use; there is room for a piece more; and by the caller's promise.
            end = unsafe {
                if word_count == PAIR {
                    Plain::pack(start, start + PAIR * size_of::<usize>(), hull, end)
                } else {
                    P::pack(start, start + word_count * size_of::<usize>(), hull, end)
                }
            };
            if end > full {
                break;
            }
        }
        for &item in asked {
            prefetch::near_object(item);
            self.prefetched.push(item);
        }
        if rest == 0 {
            self.stack.clear();
            self.given = 0;
        } else {
            self.stack.truncate(self.given + rest);
        }
        // SAFETY: both point to the same array.
        self.words_count = unsafe { end.offset_from_unsigned(words) };
        other
    }

    /// Marks what the words point to.
    ///
    /// # Safety
    /// The stack has room for all.
    #[inline(always)]
    pub unsafe fn turn_near<const BY_RULE: bool>(&mut self) {
        let Pipeline { view, map, rule, words, words_count, stack, .. } = self;
        let count = core::mem::take(words_count);
        let mut top = stack.end();
        for word in &words[..count] {
            // SAFETY: the first `words_count` were written by `add_word` and `pack`; all lie in the hull, which is the view's range.
            let (word, spot) = unsafe { (word.assume_init(), map.entry(word.assume_init()).spot(word.assume_init())) };
            let (item, is_new) = match spot {
                Some(spot) if BY_RULE && !rule.keeps_near(spot.displacement) && !keeps_further(rule, view, word) => {
                    continue;
                }
                Some(spot) => (spot.item, usize::from(spot.mark())),
                None => mark_elsewhere(rule, word),
            };
            let is_wanted = is_new & usize::from(item.is_to_be_scanned());
            // SAFETY: by the caller's promise.
            unsafe {
                top.write(item);
                top = top.add(is_wanted);
            }
        }
        // SAFETY: behind what was written, all in the list's room.
        unsafe { stack.set_end(top) };
    }
}

/// Whether an address far behind the first byte of an object keeps it by a rule.
#[cold]
#[inline(never)]
#[unsafe(link_section = ".text.hot")]
fn keeps_further(rule: &Rule, view: &View, word: usize) -> bool {
    view.place(word).is_some_and(|place| rule.keeps(place.class.kind(), word - place.start.get()))
}

/// Marks what a word points to that is no slot of a block of one unit: the object, and 1 if it was not marked.
#[cold]
#[inline(never)]
#[unsafe(link_section = ".text.hot")]
fn mark_elsewhere(rule: &Rule, word: usize) -> (Item, usize) {
    let Some(slot) = resolve::locate(Addr::new(word)) else { return (Item::NONE, 0) };
    let is_new = rule.keeps_slot(&slot, word) && slot.word().mark_allocated(slot.bit());
    (Item::of(&slot), usize::from(is_new))
}
