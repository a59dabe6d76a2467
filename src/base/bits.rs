//! Bit words: 64 slots a word, and the few questions that the heap asks of them.

/// A word whose lowest `count` bits are set; all of them from 64 up.
#[inline(always)]
pub const fn low_mask(count: usize) -> u64 {
    if count >= 64 { u64::MAX } else { (1u64 << count) - 1 }
}

/// Visits the positions of the set bits of `word`, lowest first.
#[inline(always)]
pub fn for_each_bit(mut word: u64, mut visit: impl FnMut(usize)) {
    while word != 0 {
        visit(word.trailing_zeros() as usize);
        word &= word - 1;
    }
}

/// Visits the runs of set bits of `word`, lowest first, as `(first, length)`.
#[inline(always)]
pub fn for_each_run(mut word: u64, mut visit: impl FnMut(usize, usize)) {
    while word != 0 {
        let first = word.trailing_zeros() as usize;
        let length = (!(word >> first)).trailing_zeros() as usize;
        visit(first, length);
        word &= !(low_mask(length) << first);
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    #[test]
    fn masks_cover_the_edges() {
        assert_eq!(low_mask(0), 0);
        assert_eq!(low_mask(1), 1);
        assert_eq!(low_mask(63), u64::MAX >> 1);
        assert_eq!(low_mask(64), u64::MAX);
    }

    #[test]
    fn runs_and_bits_agree_with_a_naive_walk() {
        let mut seed = 0x9e37_79b9_7f4a_7c15u64;
        for _ in 0..10_000 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let word = seed & seed.rotate_left(11);
            let naive: Vec<usize> = (0..64).filter(|i| word >> i & 1 == 1).collect();
            let mut bits = Vec::new();
            for_each_bit(word, |i| bits.push(i));
            assert_eq!(bits, naive, "word {word:#x}");
            let mut runs = Vec::new();
            for_each_run(word, |first, length| runs.extend(first..first + length));
            assert_eq!(runs, naive, "word {word:#x}");
        }
        for_each_run(u64::MAX, |first, length| assert_eq!((first, length), (0, 64)));
    }

    /// For a run under AddressSanitizer that has to find something.
    #[cfg(planted_fault)]
    #[test]
    fn a_word_past_the_end_of_a_bitmap_is_read() {
        let words = std::vec![0u64; 4];
        // SAFETY: none; that is the fault.
        let past = unsafe { words.as_ptr().add(std::hint::black_box(4)).read() };
        for_each_bit(past, |_| {});
    }
}
