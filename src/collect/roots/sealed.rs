//! Where the program has closed pages that it could write before.
//!
//! Of files' mappings that are closed nearly all were never open, and asking the kernel for their pages costs more than
//! the rest of the search. So a summary is kept of where `mprotect` has ever taken something away: a bit for each MiB of
//! addresses, and the same bit for those that lie 64 GiB apart.
//!
//! Holds:   what the program has closed through us is in a MiB whose bit is set.
//! Threads: noted by any thread at any moment, a signal's handler among them; asked while the world is stopped.

use crate::base::{
    addr::{Addr, Range},
    sync::{AtomicU64, Ordering},
};

const PART_BYTES: usize = 1 << 20;
const PARTS: usize = 1 << 16;

#[unsafe(link_section = ".bss.tables")]
static CLOSED: [AtomicU64; PARTS / 64] = [const { AtomicU64::new(0) }; _];

/// The words and bits of the parts that a range touches.
fn parts(range: Range) -> impl Iterator<Item = (&'static AtomicU64, u64)> {
    let (first, end) = (range.start.get() / PART_BYTES, range.end.get().div_ceil(PART_BYTES));
    (first..end.min(first + PARTS)).map(|part| (&CLOSED[part % PARTS / 64], 1 << (part % 64)))
}

/// The program is about to close the range.
pub fn note(range: Range) {
    // Relaxed: the stop lies between this and `may_touch`. A thread that is stopped right here has closed nothing yet.
    let is_new = |&(word, bit): &(&AtomicU64, u64)| word.load(Ordering::Relaxed) & bit == 0;
    parts(range).filter(is_new).for_each(|(word, bit)| {
        word.fetch_or(bit, Ordering::Relaxed);
    });
}

/// Whether the program may have closed something there.
pub fn may_touch(range: Range) -> bool {
    // Relaxed: see `note`.
    parts(range).any(|(word, bit)| word.load(Ordering::Relaxed) & bit != 0)
}

/// Where the summary lies. Its words are no addresses.
pub fn table() -> Range {
    Range::sized(Addr::of(CLOSED.as_ptr()), size_of_val(&CLOSED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_closed_is_found_again_and_what_lies_elsewhere_is_not() {
        const GIB: usize = 1 << 30;
        let at = |bytes: usize| Range::sized(Addr::new(0x7000_0000_0000 + bytes), 3 * 4096);
        note(at(20 * GIB + PART_BYTES - 4096));
        assert!(may_touch(at(20 * GIB + PART_BYTES - 4096)));
        assert!(may_touch(at(20 * GIB)) && may_touch(at(20 * GIB + PART_BYTES)), "both parts that it lies in");
        assert!(may_touch(Range::sized(Addr::new(0x7000_0000_0000 + 20 * GIB - 5), 10)));
        assert!(!may_touch(at(20 * GIB - PART_BYTES)) && !may_touch(at(20 * GIB + 2 * PART_BYTES)));
        assert!(may_touch(Range::sized(Addr::new(0), 100 * GIB)), "all of it");
        assert!(!may_touch(Range::sized(Addr::new(0x7000_0000_0000 + 20 * GIB), 0)));
    }
}
