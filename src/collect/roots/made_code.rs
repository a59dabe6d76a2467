//! Code that the program has made: a compiler that runs beside its program writes addresses into instructions.
//!
//! An instruction may hold one at any byte, so its pages are read as stacks are. One may also begin in a page of code and
//! end in a page that is none, or that is read in another manner: that is the *seam* between them.
//!
//! ```text
//!   code, may be run      |     code, may be written
//!   … 48 b8 10 20 30 40 50 60 00 00 c3 …
//!           ^ an address  |
//! ```
//!
//! Holds:   every eight bytes that begin in a page of code that the program has made are looked at.
//! Threads: the collecting thread; the world is stopped.

use super::{Source, Visitor, sealed};
use crate::{
    base::addr::{Addr, Range},
    os::copying,
};

const WORD: usize = size_of::<usize>();

/// The bytes on both sides of the end of a part that was visited as code, as far as words lie across it.
pub fn visit_seam(end: Addr, visit: &mut Visitor<'_>) {
    let seam = Range::new(Addr::new(end.get() - (WORD - 1)), end + (WORD - 1));
    // What follows may be closed.
    if sealed::may_touch(Range::new(end, seam.end))
        && copying::for_each_closed_page(seam, |copy| visit(Source::Code, copy))
    {
        return;
    }
    let mut bytes = [0u8; 2 * (WORD - 1)];
    let count = copying::copy(seam.start, &mut bytes);
    visit(Source::Code, Range::sized(Addr::of(bytes.as_ptr()), count));
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::{
        collect::roots::{
            batch::{Batch, Part},
            reading::Manner,
        },
        os::{
            mem::{self, PAGE, Protection},
            pages::Pages,
        },
    };
    use std::{collections::BTreeSet, vec::Vec};

    /// Every eight bytes of `range`, as they are found by the parts of one batch, which begin and end at any byte.
    fn words_found(range: Range, ends: &[usize], manners: &[Manner]) -> BTreeSet<u64> {
        let pages = Pages::open();
        let mut batch = Batch::new(&pages);
        let mut found = BTreeSet::new();
        let mut visit = |source: Source, part: Range| {
            assert_eq!(source, Source::Code);
            for at in part.start.get()..(part.end.get() + 1).saturating_sub(WORD).max(part.start.get()) {
                // SAFETY: the part may be read until this returns.
                found.insert(unsafe { (at as *const u64).read_unaligned() });
            }
        };
        for (ends, &manner) in ends.windows(2).zip(manners) {
            let part = Range::new(range.start + ends[0], range.start + ends[1]);
            batch.add(Part { range: part, source: Source::Code, manner }, &mut visit);
        }
        batch.finish(&mut visit).expect("all of it can be read");
        found
    }

    #[test]
    fn each_eight_bytes_are_found_wherever_parts_begin_and_however_they_are_read() {
        let range = Range::sized(mem::map(4 * PAGE).unwrap(), 4 * PAGE);
        // No two words of it are the same.
        let mut seed = 0x9e37_79b9_7f4a_7c15u64;
        let bytes: Vec<u8> = (0..range.bytes())
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (seed >> 56) as u8
            })
            .collect();
        // SAFETY: mapped just now.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), range.start.as_ptr::<u8>(), bytes.len()) };
        let naive = |from: usize| -> BTreeSet<u64> {
            bytes[from..].windows(WORD).map(|word| u64::from_ne_bytes(word.try_into().unwrap())).collect()
        };
        let closed = Protection { read: false, write: false, execute: false };
        let last = Range::sized(range.start + 3 * PAGE, PAGE);
        sealed::note(last);
        mem::protect(last, closed);
        let manners = [Manner::AsTheyAre, Manner::Copied, Manner::AsTheyAre, Manner::Past(closed)];
        for first in [0, 1, 7, 1000, PAGE - 3] {
            let ends = [first, PAGE, 2 * PAGE, 3 * PAGE, 4 * PAGE];
            let missing = &naive(first) - &words_found(range, &ends, &manners);
            assert!(missing.is_empty(), "from byte {first}: {missing:x?}");
        }
        mem::unmap(range.start, range.bytes());
    }
}
