//! A queue of fixed size: first in, first out, in an array that is used round and round.

use core::mem::MaybeUninit;

/// A queue of at most `N` values, a power of two.
pub struct Fifo<T: Copy, const N: usize> {
    values: [MaybeUninit<T>; N],
    /// Values taken and added so far; their difference is the count.
    taken: usize,
    added: usize,
}

impl<T: Copy, const N: usize> Fifo<T, N> {
    /// An empty one.
    pub const fn new() -> Self {
        assert!(N.is_power_of_two());
        Fifo { values: [const { MaybeUninit::uninit() }; N], taken: 0, added: 0 }
    }

    /// How many values wait.
    #[inline(always)]
    pub fn count(&self) -> usize {
        self.added.wrapping_sub(self.taken)
    }

    /// Whether none does.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// Whether there is no room.
    #[inline(always)]
    pub fn is_full(&self) -> bool {
        self.count() == N
    }

    /// Adds a value; there is room.
    #[inline(always)]
    pub fn push(&mut self, value: T) {
        debug_assert!(!self.is_full());
        self.values[self.added % N].write(value);
        self.added = self.added.wrapping_add(1);
    }

    /// The oldest value.
    #[inline(always)]
    pub fn first(&self) -> Option<T> {
        // SAFETY: values between `taken` and `added` were written by `push`.
        (!self.is_empty()).then(|| unsafe { self.values[self.taken % N].assume_init() })
    }

    /// Takes the oldest value.
    #[inline(always)]
    pub fn pop(&mut self) -> Option<T> {
        let value = self.first()?;
        self.taken = self.taken.wrapping_add(1);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::collections::VecDeque;

    #[test]
    fn a_fifo_agrees_with_the_library_s() {
        let mut seed = 0x9e37_79b9_7f4a_7c15u64;
        let (mut fifo, mut naive) = (Fifo::<u64, 8>::new(), VecDeque::new());
        for _ in 0..100_000 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            if seed >> 60 & 1 == 0 && naive.len() < 8 {
                fifo.push(seed);
                naive.push_back(seed);
            } else {
                assert_eq!(fifo.pop(), naive.pop_front(), "seed {seed:#x}");
            }
            assert_eq!((fifo.count(), fifo.is_full()), (naive.len(), naive.len() == 8));
        }
    }
}
