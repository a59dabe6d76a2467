//! Prefetches: cache lines that are asked for before they are read.
//!
//! They are hints. Nothing is read, nothing can fault, and an address may be any.

use super::item::Item;
use crate::base::addr::Range;

const CACHE_LINE: usize = 64;
/// Beyond so many the processor sees by itself that an object is read in order.
const PREFETCHED_LINES: usize = 8;

/// Asks for the cache lines of an object's first words.
#[inline(always)]
pub fn object(item: Item) {
    let start = item.start().get();
    line(start);
    // Half of the slots of 48 bytes lie across two lines.
    let lines = (start % CACHE_LINE + item.word_count() * size_of::<usize>() - 1) / CACHE_LINE;
    if lines != 0 {
        for number in 1..lines.min(PREFETCHED_LINES) + 1 {
            line(start + number * CACHE_LINE);
        }
    }
}

/// As [`object`], with few instructions for one that is short.
#[inline(always)]
pub fn near_object(item: Item) {
    let start = item.start().get();
    line(start);
    let bytes = item.word_count() * size_of::<usize>();
    line(start + bytes - 1);
    if bytes > 2 * CACHE_LINE {
        object(item);
    }
}

/// Asks for the first lines of a range; of the others the processor sees by itself that they are read in order.
pub fn range(range: Range) {
    let end = range.end.min(range.start + PREFETCHED_LINES * CACHE_LINE);
    (range.start.get()..end.get()).step_by(CACHE_LINE).for_each(line);
}

/// Asks for the cache line that an address lies in.
#[inline(always)]
pub fn line(address: usize) {
    // SAFETY: a prefetch never faults.
    unsafe { core::arch::x86_64::_mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T0 }>(address as *const i8) };
}

/// Asks for it as its own, to be written. Where the processor knows no such thing, an instruction without effect.
#[inline(always)]
pub fn line_to_write(address: usize) {
    // SAFETY: a prefetch never faults.
    unsafe { core::arch::asm!("prefetchw [{}]", in(reg) address, options(nostack, preserves_flags, readonly)) };
}
