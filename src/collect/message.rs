//! A message: at which of its bytes an address of the heap begins.
//!
//! Every small message of every program is looked at, and next to none holds an address, which has 47 bits and may lie at
//! any byte:
//!
//! ```text
//!   byte      0  1  2  3  4      5        6  7
//!             any              the heap's 0  0
//! ```
//!
//! Sixteen bytes at once are compared with zero: most messages are text, and have none. Those of the others are compared
//! with the heap's sixth byte, too; that leaves few candidates, most often none.
//!
//! Threads: any, in signal handlers too.

use crate::{
    base::{
        addr::{Addr, Ambiguous, Range},
        bits,
    },
    heap::{cage, resolve},
    os::memcheck,
};
use core::arch::x86_64::{
    __m128i, _mm_cmpeq_epi8, _mm_loadl_epi64, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128,
    _mm_set1_epi8, _mm_setzero_si128,
};

const WORD: usize = size_of::<usize>();
/// So many bytes are gone through at once: a bit each.
pub const BYTES_MAX: usize = u64::BITS as usize;
/// Bytes of a vector register.
const LANES: usize = 16;

/// The sixth bytes of the heap's addresses.
#[derive(Clone, Copy)]
struct Sixth {
    first: u8,
    last: u8,
}

impl Sixth {
    fn of(hull: Range) -> Sixth {
        let of = |addr: usize| addr.to_le_bytes()[5];
        Sixth { first: of(hull.start.get()), last: of(hull.end.get().wrapping_sub(1)) }
    }

    /// Whether there are more than are compared with: then every byte may be one.
    fn are_many(self) -> bool {
        self.last.wrapping_sub(self.first) > 1
    }
}

/// The zeros and the heap's sixth bytes among some bytes, a bit for each.
#[derive(Clone, Copy, Default)]
struct Found {
    zeros: u64,
    sixths: u64,
}

impl Found {
    /// Adds those of a block that begins at byte `at`, in as many of its bytes as `mask` has bits.
    #[inline(always)]
    fn add(&mut self, block: __m128i, sixth: Sixth, at: usize, mask: u64) {
        // SAFETY: every x86-64 has these instructions, which touch registers only.
        let (zeros, sixths) = unsafe {
            let is_first = _mm_cmpeq_epi8(block, _mm_set1_epi8(sixth.first as i8));
            let is_last = _mm_cmpeq_epi8(block, _mm_set1_epi8(sixth.last as i8));
            let is_zero = _mm_cmpeq_epi8(block, _mm_setzero_si128());
            (_mm_movemask_epi8(is_zero), _mm_movemask_epi8(_mm_or_si128(is_first, is_last)))
        };
        self.zeros |= (u64::from(zeros as u32) & mask) << at;
        self.sixths |= (u64::from(sixths as u32) & mask) << at;
    }

    /// The bytes at which an address may begin.
    fn candidates(self) -> u64 {
        self.sixths >> 5 & self.zeros >> 6 & self.zeros >> 7
    }
}

/// A bit for each byte at which an address in `hull` may begin.
///
/// # Safety
/// So many bytes may be read, a word's at least and [`BYTES_MAX`] at most. Whoever writes there meanwhile may write what he
/// likes.
#[inline(always)]
unsafe fn candidates(start: *const u8, bytes: usize, hull: Range) -> u64 {
    const ALL: u64 = (1 << LANES) - 1;
    const HALF: u64 = (1 << WORD) - 1;
    let sixth = Sixth::of(hull);
    let mut found = Found::default();
    // SAFETY: by the caller's promise, as each begins so many bytes before the end.
    unsafe {
        if bytes < LANES {
            found.add(_mm_loadl_epi64(start.cast()), sixth, 0, HALF);
            found.add(_mm_loadl_epi64(start.add(bytes - WORD).cast()), sixth, bytes - WORD, HALF);
        } else {
            let mut at = 0;
            while at < bytes - LANES {
                found.add(_mm_loadu_si128(start.add(at).cast()), sixth, at, ALL);
                at += LANES;
            }
            found.add(_mm_loadu_si128(start.add(bytes - LANES).cast()), sixth, bytes - LANES, ALL);
        }
    }
    if sixth.are_many() {
        found.sixths = u64::MAX;
    }
    found.candidates()
}

/// Whether one of some bytes is zero.
///
/// # Safety
/// As of [`candidates`].
#[inline(always)]
unsafe fn has_zero(start: *const u8, bytes: usize) -> bool {
    // SAFETY: by the caller's promise; every x86-64 has these instructions.
    unsafe {
        if bytes < LANES {
            let word = |at| start.add(at).cast::<u64>().read_unaligned();
            return word_has_zero(word(0)) || word_has_zero(word(bytes - WORD));
        }
        let block = |at| _mm_loadu_si128(start.add(at).cast());
        let mut least = block(bytes - LANES);
        let mut at = 0;
        while at < bytes - LANES {
            least = _mm_min_epu8(least, block(at));
            at += LANES;
        }
        _mm_movemask_epi8(_mm_cmpeq_epi8(least, _mm_setzero_si128())) != 0
    }
}

fn word_has_zero(word: u64) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH_BITS: u64 = ONES << 7;
    word.wrapping_sub(ONES) & !word & HIGH_BITS != 0
}

fn is_address(word: usize, hull: Range) -> bool {
    hull.contains(Addr::new(word)) && resolve::resolve(Ambiguous(word)).is_some()
}

/// Whether some bytes hold an address in an object. This is what messages without any pay.
///
/// # Safety
/// They may be read; there are a word's at least and [`BYTES_MAX`] at most.
#[inline(always)]
pub unsafe fn has_address(start: *const u8, bytes: usize) -> bool {
    let _unchecked = memcheck::unchecked();
    // SAFETY: by the caller's promise.
    unsafe { has_zero(start, bytes) && has_address_among_zeros(start, bytes) }
}

/// As [`has_address`].
///
/// # Safety
/// The same.
#[inline(never)]
unsafe fn has_address_among_zeros(start: *const u8, bytes: usize) -> bool {
    let hull = cage::hull();
    let mut is_any = false;
    // SAFETY: by the caller's promise.
    let found = unsafe { candidates(start, bytes, hull) };
    // SAFETY: as before: a candidate has a word's bytes.
    let word = |at| unsafe { start.add(at).cast::<usize>().read_unaligned() };
    bits::for_each_bit(found, |at| is_any |= is_address(word(at), hull));
    is_any
}

/// Visits the words of some bytes that are addresses in objects, with where they lie.
pub fn for_each_address(bytes: &[u8], mut visit: impl FnMut(usize, usize)) {
    const STEP: usize = BYTES_MAX - WORD + 1;
    let _unchecked = memcheck::unchecked();
    let hull = cage::hull();
    let mut from = 0;
    while let Some(rest) = bytes.get(from..).filter(|rest| rest.len() >= WORD) {
        let part = &rest[..rest.len().min(BYTES_MAX)];
        // SAFETY: a slice may be read, and has so many.
        let found = unsafe {
            if has_zero(part.as_ptr(), part.len()) { candidates(part.as_ptr(), part.len(), hull) } else { 0 }
        };
        bits::for_each_bit(found, |at| {
            let word = part[at..at + WORD].try_into().map_or(0, usize::from_ne_bytes);
            if is_address(word, hull) {
                visit(from + at, word);
            }
        });
        from += STEP;
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    fn naively(bytes: &[u8], hull: Range) -> u64 {
        let is_in_hull = |word: &[u8]| hull.contains(Addr::new(usize::from_ne_bytes(word.try_into().unwrap())));
        bytes.windows(WORD).enumerate().fold(0, |found, (at, word)| found | u64::from(is_in_hull(word)) << at)
    }

    #[test]
    fn every_address_is_a_candidate_at_whatever_byte_of_whatever_length() {
        let hulls =
            [(0x7f12_3456_0000, 0x7f12_9000_0000), (0x7eff_ffff_0000, 0x7f00_1000_0000), (0x10_0000, 0x800_0000)];
        for (start, end) in hulls.into_iter().chain([(0x10_0000, 0x7fff_0000_0000)]) {
            let hull = Range::new(Addr::new(start), Addr::new(end));
            for length in WORD..=BYTES_MAX {
                for fill in [0u8, 0x7f, 0xff, b'x'] {
                    for at in 0..=length - WORD {
                        for word in [start, end - 1, start + (end - start) / 2] {
                            let mut bytes = std::vec![fill; length];
                            bytes[at..at + WORD].copy_from_slice(&word.to_ne_bytes());
                            // SAFETY: they may be read.
                            let found = unsafe { candidates(bytes.as_ptr(), length, hull) };
                            let expected = naively(&bytes, hull);
                            assert_eq!(found & expected, expected, "{word:#x} at {at} of {length}, {fill:#x}");
                            assert_eq!(found >> (length - WORD) >> 1, 0, "beyond the end");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_zero_is_found_wherever_it_is() {
        for length in WORD..=BYTES_MAX {
            let mut bytes = std::vec![b'x'; length];
            // SAFETY: they may be read.
            let has_zero = |bytes: &[u8]| unsafe { has_zero(bytes.as_ptr(), bytes.len()) };
            for at in 0..length {
                bytes[at] = 0;
                assert!(has_zero(&bytes), "{at} of {length}");
                bytes[at] = 0x80;
                assert!(!has_zero(&bytes), "{at} of {length}");
            }
        }
    }

    #[test]
    fn text_and_small_numbers_have_no_candidate() {
        let hull = Range::new(Addr::new(0x7f12_3456_0000), Addr::new(0x7f12_9000_0000));
        let numbers: Vec<u8> = (0..16u32).flat_map(u32::to_ne_bytes).collect();
        for bytes in [&[b'x'; 64][..], &[0; 64], &numbers] {
            // SAFETY: they may be read.
            assert_eq!(unsafe { candidates(bytes.as_ptr(), bytes.len(), hull) }, 0);
        }
    }
}
