//! Flush: many slots of one class go back to their bitmaps.
//!
//! Slots that were freed at random lie in as many cache lines of bits, and a locked instruction waits for its line and
//! lets nothing after it begin. So the places of some slots are computed first and their lines asked for, and then each
//! word is changed by one atomic AND for all its slots that follow each other in the magazine.
//!
//! ```text
//!   slots   a b c d e f    ->  places, prefetched  ->  word of a, b, c   word of d   word of e, f
//!                                                      counts: block 7: 3   block 2: 1   block 9: 2
//! ```
//!
//! A block's count of free slots is a second line that others may write: what has been given to a block is added up and
//! counted there once, or when another block needs the place where it is added up. Until then the count lags behind the
//! bits, so nobody takes the block for wholly free.
//!
//! Threads: the owner of the slots, in its gate. Anybody may free into the same blocks.

use super::{
    cage::{self, Unit},
    centre,
    refill::FreedTwice,
    units::{self, Class, Word},
};
use crate::base::{addr::Addr, sync::Ordering};
use core::arch::asm;

/// Words that are asked for together: about as many as are under way at once.
const TOGETHER: usize = 32;
/// Blocks that are counted side by side.
const COUNTED: usize = 16;

/// Slots whose bits lie in one word.
#[derive(Clone, Copy)]
struct Group {
    unit: Unit,
    word: u32,
    bits: u64,
}

impl Group {
    const NONE: Group = Group { unit: 0, word: 0, bits: 0 };

    #[inline(always)]
    fn word(&self) -> &'static Word {
        &units::words(self.unit)[self.word as usize % units::WORDS_PER_UNIT]
    }

    #[inline(always)]
    fn prefetch(&self) {
        // SAFETY: a prefetch never faults, and where the processor knows none to write it does nothing.
        unsafe { asm!("prefetchw [{}]", in(reg) self.word(), options(nostack, preserves_flags, readonly)) };
    }
}

/// Clears the allocated bits of slots of one class.
#[unsafe(link_section = ".text.hot")]
pub(super) fn give_slots(class: Class, slots: &[usize]) -> Result<(), FreedTwice> {
    let shape = class.shape();
    let mut giver = Giver::new(class);
    let (mut block, mut group) = (0, Group::NONE);
    for &slot in slots {
        // Blocks are aligned to their size.
        let offset = slot & shape.block_mask as usize;
        let index = shape.index_of(offset);
        let (word, bit) = (index as u32 / 64, 1 << (index % 64));
        if slot - offset != block {
            // Whatever is in a magazine lies in the heap.
            let Some(unit) = cage::unit_of(Addr::new(slot - offset)) else { continue };
            block = slot - offset;
            giver.add(group);
            group = Group { unit, word, bits: 0 };
            group.prefetch();
        } else if word != group.word || group.bits & bit != 0 {
            giver.add(group);
            group = Group { unit: group.unit, word, bits: 0 };
            group.prefetch();
        }
        group.bits |= bit;
    }
    giver.add(group);
    giver.finish()
}

struct Giver {
    class: Class,
    groups: [Group; TOGETHER],
    count: usize,
    counts: Counts,
    result: Result<(), FreedTwice>,
}

impl Giver {
    fn new(class: Class) -> Giver {
        Giver { class, groups: [Group::NONE; TOGETHER], count: 0, counts: Counts::new(class), result: Ok(()) }
    }

    #[inline(always)]
    fn add(&mut self, group: Group) {
        if group.bits == 0 {
            return;
        }
        self.groups[self.count % TOGETHER] = group;
        self.count += 1;
        if self.count == TOGETHER {
            self.give();
        }
    }

    #[unsafe(link_section = ".text.hot")]
    fn give(&mut self) {
        for group in &self.groups[..self.count] {
            // Release: pairs with the Acquire of the refill that takes these slots next.
            let given = group.word().allocated.fetch_and(!group.bits, Ordering::Release) & group.bits;
            self.counts.add(group.unit, given.count_ones());
            if given != group.bits {
                let index = group.word as usize * 64 + (group.bits & !given).trailing_zeros() as usize;
                let start = cage::addr_of(group.unit) + index * self.class.shape().slot_bytes as usize;
                self.result = self.result.and(Err(FreedTwice(start)));
            }
        }
        self.count = 0;
    }

    fn finish(mut self) -> Result<(), FreedTwice> {
        self.give();
        self.counts.settle();
        self.result
    }
}

/// How many slots have been given to blocks that have not been told.
struct Counts {
    class: Class,
    blocks: [(Unit, u32); COUNTED],
}

impl Counts {
    fn new(class: Class) -> Counts {
        Counts { class, blocks: [(0, 0); COUNTED] }
    }

    #[inline(always)]
    fn add(&mut self, unit: Unit, count: u32) {
        let block = &mut self.blocks[unit as usize % COUNTED];
        if block.0 != unit {
            tell(self.class, core::mem::replace(block, (unit, 0)));
        }
        block.1 += count;
    }

    fn settle(&self) {
        for &block in &self.blocks {
            tell(self.class, block);
        }
    }
}

/// Counts slots as free whose bits have been cleared.
#[inline]
fn tell(class: Class, (unit, count): (Unit, u32)) {
    if count != 0 {
        units::block(unit).free.fetch_add(count, Ordering::SeqCst);
        centre::note_room(class, unit);
    }
}
