//! The filter: which words of a long range may be addresses of the heap, many at a time.
//!
//! Static data, stacks and large objects hold mostly other things. Sixty-four words are compared with the heap's range
//! at once, and only those that lie in it are looked at one by one.
//!
//! ```text
//!   word - start <= bytes      one subtraction and one comparison a word; with AVX2, for four words at a time
//! ```
//!
//! On stacks and in vector registers an address may lie at any byte. A compiler that takes a value apart, say the tag and the
//! payload of an enum of Rust's, copies what follows the tag as so many bytes, to wherever there is room; for a while that
//! may be the only copy. So these are gone through eight times, a byte further each time. In memory that outlives a
//! function each word has its place. The programs of `libgc.so.1` are promised aligned words only, and their stacks are read
//! once ([`have_stacks_aligned`](super::roots::have_stacks_aligned)).
//!
//! Objects are short and hold mostly addresses. Theirs are *packed*: written one behind the other to an array, without a
//! branch on what a word is.
//!
//! Processors without AVX2, and whoever sets `vector=0`, get the plain loops, `find_plainly` and `Plain`. They are
//! also the twins that the others are judged by.

use super::settings;
use crate::{
    base::{
        addr::{Addr, Ambiguous, Range},
        bits,
        sync::{AtomicU8, Ordering},
    },
    os::mem,
};
use core::arch::x86_64::{
    __cpuid, __cpuid_count, __m256i, _mm256_castsi256_pd, _mm256_cmpgt_epi64, _mm256_loadu_si256,
    _mm256_maskload_epi64, _mm256_movemask_pd, _mm256_permutevar8x32_epi32, _mm256_set1_epi64x, _mm256_storeu_si256,
    _mm256_sub_epi64, _xgetbv,
};

const WORD: usize = size_of::<usize>();
const BATCH: usize = 64;
const BATCH_BYTES: usize = BATCH * WORD;
/// Words that one AVX2 register holds.
const LANES: usize = 4;

/// Finds the words of a batch that lie in a range or one past its end: a bit for each, the first word's the lowest.
///
/// Unsafe: the batch may be read, and the processor has what the function needs.
type Find = unsafe fn(batch: Addr, within: Range) -> u64;

/// Visits the aligned words of `range` that lie in `hull` or one past its end.
///
/// # Safety
/// The range may be read.
#[inline(always)]
pub unsafe fn words_within(range: Range, hull: Range, visit: impl FnMut(Ambiguous)) {
    let aligned = Range::new(range.start.align_up(WORD), range.end.align_down(WORD));
    // SAFETY: by the caller's promise.
    unsafe { words_from(aligned, hull, visit) };
}

/// Visits the words of `range` that lie in `hull` or one past its end, at whatever byte they begin.
///
/// # Safety
/// The range may be read, and nobody writes there meanwhile.
pub unsafe fn words_at_any_byte_within(range: Range, hull: Range, mut visit: impl FnMut(Ambiguous)) {
    for first in 0..WORD {
        let start = range.start + first;
        let words = range.end.get().saturating_sub(start.get()) / WORD;
        // SAFETY: by the caller's promise.
        unsafe { words_from(Range::sized(start, words * WORD), hull, &mut visit) };
    }
}

/// As [`words_within`], for a range of whole words that may begin at any byte.
#[inline(always)]
unsafe fn words_from(range: Range, hull: Range, mut visit: impl FnMut(Ambiguous)) {
    let mut rest = range;
    if rest.bytes() >= BATCH_BYTES {
        let find = best();
        while rest.bytes() >= BATCH_BYTES {
            // SAFETY: by the caller's promise, and `best` knows the processor.
            let found = unsafe { find(rest.start, hull) };
            // SAFETY: by the caller's promise.
            let load = |word| unsafe { mem::load_word_at_any_byte(rest.start + word * WORD) };
            bits::for_each_bit(found, |word| visit(Ambiguous(load(word))));
            rest.start = rest.start + BATCH_BYTES;
        }
    }
    while !rest.is_empty() {
        // SAFETY: by the caller's promise.
        let word = unsafe { mem::load_word_at_any_byte(rest.start) };
        if word.wrapping_sub(hull.start.get()) <= hull.bytes() {
            visit(Ambiguous(word));
        }
        rest.start = rest.start + WORD;
    }
}

/// As [`Find`] says, on any processor.
unsafe fn find_plainly(batch: Addr, within: Range) -> u64 {
    (0..BATCH).fold(0, |found, index| {
        // SAFETY: by the caller's promise.
        let word = unsafe { mem::load_word_at_any_byte(batch + index * WORD) };
        found | u64::from(word.wrapping_sub(within.start.get()) <= within.bytes()) << index
    })
}

/// As [`Find`] says. The instructions compare signed numbers: the top bit of both sides is turned over.
#[target_feature(enable = "avx2")]
unsafe fn find_by_avx2(batch: Addr, within: Range) -> u64 {
    const TOP: i64 = i64::MIN;
    let start = _mm256_set1_epi64x(within.start.get() as i64 ^ TOP);
    let bytes = _mm256_set1_epi64x(within.bytes() as i64 ^ TOP);
    let mut outside = 0;
    for index in 0..BATCH / LANES {
        // SAFETY: by the caller's promise. The world is stopped: nobody writes there.
        let words = unsafe { _mm256_loadu_si256((batch + index * LANES * WORD).as_ptr::<__m256i>()) };
        let is_outside = _mm256_cmpgt_epi64(_mm256_sub_epi64(words, start), bytes);
        let lanes = _mm256_movemask_pd(_mm256_castsi256_pd(is_outside)) as u64;
        outside |= lanes << (index * LANES);
    }
    !outside
}

/// How the words of an object that lie in a range are packed.
pub trait Pack {
    /// Writes those of the words from `from` to `end` that lie in `within` to `to`, one behind the other: the end of what
    /// was written.
    ///
    /// # Safety
    /// The words may be read; all of them and [`PACK_SLACK`] more could be written to `to`; the processor has what the
    /// implementor needs.
    unsafe fn pack(from: Addr, end: Addr, within: Range, to: *mut usize) -> *mut usize;
}

/// Words beyond the last that a packer may write to.
pub const PACK_SLACK: usize = LANES - 1;

/// Packs on any processor.
pub struct Plain;

impl Pack for Plain {
    #[inline(always)]
    unsafe fn pack(from: Addr, end: Addr, within: Range, mut to: *mut usize) -> *mut usize {
        let (start, bytes) = (within.start.get(), within.bytes());
        let mut at = from;
        while at < end {
            // SAFETY: by the caller's promise. Written in any case, and counted if wanted.
            unsafe {
                let word = mem::load_word(at);
                to.write(word);
                to = to.add(usize::from(word.wrapping_sub(start) < bytes));
            }
            at = at + WORD;
        }
        to
    }
}

/// Packs four words at a time. Its callers have the features `avx2` and `popcnt` enabled.
pub struct Avx2;

/// For each set of lanes: the halves of a register that belong to them, those of the lowest lane first.
static LANES_OF: [[u32; 2 * LANES]; 1 << LANES] = lanes_of();

const fn lanes_of() -> [[u32; 2 * LANES]; 1 << LANES] {
    let mut table = [[0; 2 * LANES]; 1 << LANES];
    let mut set = 0;
    while set < table.len() {
        let (mut lane, mut place) = (0, 0);
        while lane < LANES {
            if set >> lane & 1 == 1 {
                table[set][place] = 2 * lane as u32;
                table[set][place + 1] = 2 * lane as u32 + 1;
                place += 2;
            }
            lane += 1;
        }
        set += 1;
    }
    table
}

/// The masks by which less than a register of words is loaded.
static MASKS: [[i64; LANES]; LANES] = masks();

const fn masks() -> [[i64; LANES]; LANES] {
    let mut masks = [[0; LANES]; LANES];
    let mut count = 0;
    while count < LANES {
        let mut lane = 0;
        while lane < count {
            masks[count][lane] = -1;
            lane += 1;
        }
        count += 1;
    }
    masks
}

impl Avx2 {
    /// Writes those of four words that lie in a range to `to`: the end of what was written. `start` and `bytes` are the
    /// range's with their top bits turned over: the instructions compare signed numbers.
    ///
    /// # Safety
    /// Four words could be written; the processor has AVX2.
    #[inline]
    #[target_feature(enable = "avx2,popcnt")]
    unsafe fn pack_four(words: __m256i, start: __m256i, bytes: __m256i, to: *mut usize) -> *mut usize {
        let is_within = _mm256_cmpgt_epi64(bytes, _mm256_sub_epi64(words, start));
        let lanes = _mm256_movemask_pd(_mm256_castsi256_pd(is_within)) as usize;
        // SAFETY: there are so many sets of lanes; and by the caller's promise.
        unsafe {
            let halves = _mm256_loadu_si256(LANES_OF.as_ptr().add(lanes).cast::<__m256i>());
            _mm256_storeu_si256(to.cast::<__m256i>(), _mm256_permutevar8x32_epi32(words, halves));
            to.add(lanes.count_ones() as usize)
        }
    }
}

impl Pack for Avx2 {
    #[inline(always)]
    unsafe fn pack(from: Addr, end: Addr, within: Range, mut to: *mut usize) -> *mut usize {
        const TOP: i64 = i64::MIN;
        debug_assert!(within.start > Addr::NULL || within.is_empty());
        let mut at = from;
        // SAFETY: by the caller's promise.
        unsafe {
            let start = _mm256_set1_epi64x(within.start.get() as i64 ^ TOP);
            let bytes = _mm256_set1_epi64x(within.bytes() as i64 ^ TOP);
            while end - at >= LANES * WORD {
                to = Avx2::pack_four(_mm256_loadu_si256(at.as_ptr::<__m256i>()), start, bytes, to);
                at = at + LANES * WORD;
            }
            if at < end {
                // What is not loaded is zero, which no range holds.
                let mask = _mm256_loadu_si256(MASKS.as_ptr().add((end - at) / WORD).cast::<__m256i>());
                to = Avx2::pack_four(_mm256_maskload_epi64(at.as_ptr::<i64>(), mask), start, bytes, to);
            }
            to
        }
    }
}

const UNKNOWN: u8 = 0;
const PLAIN: u8 = 1;
const AVX2: u8 = 2;
/// What the processor has.
static PROCESSOR: AtomicU8 = AtomicU8::new(UNKNOWN);

fn best() -> Find {
    if has_vectors() { find_by_avx2 } else { find_plainly }
}

/// Whether AVX2 may be used, and the instructions on bits that came with it or before: BMI1, BMI2, and `popcnt`.
pub fn has_vectors() -> bool {
    settings::vector() && processor() == AVX2
}

fn processor() -> u8 {
    // Relaxed: whoever looks at the same time finds the same.
    match PROCESSOR.load(Ordering::Relaxed) {
        UNKNOWN => {
            let found = if has_avx2() { AVX2 } else { PLAIN };
            PROCESSOR.store(found, Ordering::Relaxed);
            found
        }
        known => known,
    }
}

/// Whether the processor has them all, and the system keeps the registers. AddressSanitizer forbids reading what lies between
/// the variables of a stack, in any way but [`mem::load_word`]'s.
fn has_avx2() -> bool {
    const OSXSAVE: u32 = 1 << 27;
    const POPCNT: u32 = 1 << 23;
    const BMI1_AVX2_BMI2: u32 = 1 << 3 | 1 << 5 | 1 << 8;
    const SSE_AND_AVX_STATE: u64 = 6;
    #[target_feature(enable = "xsave")]
    fn state_kept() -> u64 {
        // SAFETY: the caller has seen OSXSAVE.
        unsafe { _xgetbv(0) }
    }
    if cfg!(asan) || __cpuid(0).eax < 7 || __cpuid(1).ecx & (OSXSAVE | POPCNT) != OSXSAVE | POPCNT {
        return false;
    }
    // SAFETY: OSXSAVE says that the instruction is there.
    let state = unsafe { state_kept() };
    state & SSE_AND_AVX_STATE == SSE_AND_AVX_STATE && __cpuid_count(7, 0).ebx & BMI1_AVX2_BMI2 == BMI1_AVX2_BMI2
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    const HULLS: [Range; 4] = [
        Range { start: Addr::new(0x7000_0000_0000), end: Addr::new(0x7000_0040_0000) },
        Range { start: Addr::new(0x10_0000), end: Addr::new(0x7fff_ffff_0000) },
        Range { start: Addr::new(0), end: Addr::new(0) },
        Range { start: Addr::new(0x1000), end: Addr::new(0x1008) },
    ];

    fn next(seed: &mut u64) -> u64 {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        *seed
    }

    /// A word that lies in the hull, at its ends, one beside them, or anywhere.
    fn word(seed: &mut u64, hull: Range) -> usize {
        let (start, end) = (hull.start.get(), hull.end.get());
        match next(seed) % 8 {
            0 => start,
            1 => end,
            2 => start.wrapping_sub(1),
            3 => end.wrapping_add(1),
            4 | 5 => start + next(seed) as usize % (end - start + 1),
            6 => (start + (end - start) / 2) ^ 1 << 63,
            _ => next(seed) as usize,
        }
    }

    #[test]
    fn avx2_finds_what_the_plain_loop_finds_at_every_alignment() {
        if !has_avx2() {
            return;
        }
        let mut seed = 0x9e37_79b9_7f4a_7c15u64;
        for round in 0..2000 {
            let hull = HULLS[round % HULLS.len()];
            let words: Vec<usize> = (0..BATCH + 8).map(|_| word(&mut seed, hull)).collect();
            for first in 0..8 {
                let batch = Addr::of(words[first..].as_ptr());
                // SAFETY: a whole batch lies there, and the processor has AVX2.
                let (plain, fast) = unsafe { (find_plainly(batch, hull), find_by_avx2(batch, hull)) };
                assert_eq!(plain, fast, "round {round}, first word {first}");
            }
        }
    }

    #[test]
    fn both_packers_pack_what_a_naive_walk_finds() {
        #[target_feature(enable = "avx2,popcnt")]
        unsafe fn pack_by_avx2(from: Addr, end: Addr, within: Range, to: *mut usize) -> *mut usize {
            // SAFETY: by the caller's promise.
            unsafe { Avx2::pack(from, end, within, to) }
        }
        let mut seed = 0x9e37_79b9_7f4a_7c15u64;
        for round in 0..5000 {
            let hull = HULLS[round % HULLS.len()];
            let words: Vec<usize> = (0..next(&mut seed) as usize % BATCH).map(|_| word(&mut seed, hull)).collect();
            let wanted: Vec<usize> =
                words.iter().copied().filter(|&word| (hull.start.get()..hull.end.get()).contains(&word)).collect();
            let (from, mut packed) = (Addr::of(words.as_ptr()), [0usize; BATCH + PACK_SLACK]);
            let (end, to) = (from + words.len() * WORD, packed.as_mut_ptr());
            // SAFETY: the array has room for all of them and the slack.
            let count = unsafe { Plain::pack(from, end, hull, to).offset_from_unsigned(to) };
            assert_eq!(packed[..count], wanted, "round {round}");
            if has_avx2() {
                // SAFETY: as above, and the processor has AVX2.
                let count = unsafe { pack_by_avx2(from, end, hull, to).offset_from_unsigned(to) };
                assert_eq!(packed[..count], wanted, "round {round}");
            }
        }
    }

    #[test]
    fn words_are_found_at_every_byte_as_a_naive_walk_does() {
        let mut seed = 0x2545_f491_4f6c_dd1du64;
        for round in 0..200 {
            let hull = HULLS[round % HULLS.len()];
            let words: Vec<usize> = (0..2 * BATCH + 9).map(|_| word(&mut seed, hull)).collect();
            // SAFETY: any bytes of words may be seen as bytes.
            let bytes = unsafe { core::slice::from_raw_parts(words.as_ptr().cast::<u8>(), size_of_val(&words[..])) };
            let first = next(&mut seed) as usize % 64;
            let last = first + next(&mut seed) as usize % (bytes.len() - first);
            let mut wanted: Vec<usize> = bytes[first..last]
                .windows(WORD)
                .map(|window| usize::from_ne_bytes(window.try_into().expect("a word")))
                .filter(|word| (hull.start.get()..=hull.end.get()).contains(word))
                .collect();
            let mut found = Vec::new();
            let start = Addr::of(bytes.as_ptr());
            // SAFETY: part of the vector.
            unsafe {
                words_at_any_byte_within(Range::new(start + first, start + last), hull, |word| found.push(word.0));
            }
            wanted.sort_unstable();
            found.sort_unstable();
            assert_eq!(found, wanted, "round {round}");
        }
    }

    #[test]
    fn ranges_of_any_length_and_start_are_filtered_as_a_naive_walk_does() {
        let mut seed = 0x2545_f491_4f6c_dd1du64;
        for round in 0..500 {
            let hull = HULLS[round % HULLS.len()];
            let words: Vec<usize> = (0..3 * BATCH).map(|_| word(&mut seed, hull)).collect();
            let first = next(&mut seed) as usize % BATCH;
            let last = first + next(&mut seed) as usize % (words.len() - first);
            let wanted: Vec<usize> = words[first..last]
                .iter()
                .copied()
                .filter(|&word| (hull.start.get()..=hull.end.get()).contains(&word))
                .collect();
            let mut found = Vec::new();
            let start = Addr::of(words.as_ptr());
            let range = Range::new(start + first * WORD, start + last * WORD);
            // SAFETY: part of the vector.
            unsafe { words_within(range, hull, |word| found.push(word.0)) };
            assert_eq!(found, wanted, "round {round}");
        }
    }
}
