//! Stop frames: what the kernel has saved of a stopped thread on a stack that is not the thread's own.
//!
//! The stop's handler runs on the thread's alternate stack, if it has one, and there the kernel lays down all its registers.
//! That memory is a mapping or static data and is searched as one, while the same frame on the thread's own stack is part of
//! what is dead. It stays there when the thread goes on: one that then waits would keep what it held at its last stop for as
//! long as it waits. So the frame is left out, while its thread stands in the handler and as long after that as each of its
//! bytes is what the kernel has written: a program that uses the stack changes it.
//!
//! A frame in an object of the heap is searched with the object.
//!
//! Holds:   what is left out was written by the kernel for a handler of ours, and by nobody since.
//! Threads: the collecting thread; the world is stopped.

use super::{Myself, stacks};
use crate::{
    base::{
        addr::{Addr, Range},
        sync::Ordering,
    },
    heap::{cage, mutator::Mutator},
    os::{copying, registers},
};

const WORD: usize = size_of::<usize>();

/// The frame of the thread's stop, or of the one before if the thread was not stopped by a signal now. `None`: it is on the
/// thread's own stack, or in an object, or not there any more.
pub fn of(record: &Mutator, myself: Myself<'_>) -> Option<Range> {
    let Some(context) = stacks::context(record, myself) else { return former(record) };
    let is_apart = |frame: &Range| !record.stack().contains(frame.start) && !cage::contains(frame.start);
    // SAFETY: the thread is stopped in its handler, so its context is there.
    let frame = unsafe { registers::frame(context) }.filter(is_apart);
    note(record, frame);
    frame
}

/// Notes the frame. Relaxed, here and below: only who has the world uses the words.
fn note(record: &Mutator, frame: Option<Range>) {
    let Some(frame) = frame else { return record.stop_frame.store(0, Ordering::Relaxed) };
    let mut sum = Sum(0);
    // SAFETY: the kernel has made it for the handler that the thread is in; it begins with a word, and whole ones are taken.
    sum.add(unsafe { core::slice::from_raw_parts(frame.start.as_ptr::<usize>(), frame.bytes() / WORD) });
    record.stop_frame.store(frame.start.get(), Ordering::Relaxed);
    record.stop_frame_bytes.store(frame.bytes(), Ordering::Relaxed);
    record.stop_frame_sum.store(sum.0, Ordering::Relaxed);
}

/// The frame that was noted last, if it is still the same.
fn former(record: &Mutator) -> Option<Range> {
    let start = Addr::new(record.stop_frame.load(Ordering::Relaxed));
    if start.is_null() {
        return None;
    }
    let frame = Range::sized(start, record.stop_frame_bytes.load(Ordering::Relaxed));
    if sum_of_copy(frame) == Some(record.stop_frame_sum.load(Ordering::Relaxed)) {
        return Some(frame);
    }
    record.stop_frame.store(0, Ordering::Relaxed);
    None
}

/// The sum of what may not be there any more.
fn sum_of_copy(frame: Range) -> Option<u64> {
    const WORDS: usize = 512;
    let mut sum = Sum(0);
    let mut at = frame.start;
    let mut rest = frame.bytes() / WORD;
    while rest != 0 {
        let mut words = [0usize; WORDS];
        let count = rest.min(WORDS);
        // SAFETY: words may be seen as their bytes, and any bytes are words.
        let bytes = unsafe { core::slice::from_raw_parts_mut(words.as_mut_ptr().cast::<u8>(), count * WORD) };
        if copying::copy(at, bytes) != count * WORD {
            return None;
        }
        sum.add(&words[..count]);
        at = at + count * WORD;
        rest -= count;
    }
    Some(sum.0)
}

/// A sum that another order or value of words changes.
struct Sum(u64);

impl Sum {
    fn add(&mut self, words: &[usize]) {
        for &word in words {
            self.0 = (self.0 ^ word as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::heap::mutator;
    use std::vec;

    #[test]
    fn a_frame_is_left_out_until_a_bit_of_it_changes() {
        let record = mutator::obtain(u32::MAX / 2 - 1).expect("a record");
        let mut memory = vec![0usize; 1500];
        for (index, word) in memory.iter_mut().enumerate() {
            *word = index * 0x1_0001;
        }
        let frame = Range::sized(Addr::of(memory.as_ptr()), memory.len() * WORD);
        assert_eq!(former(record), None);
        note(record, Some(frame));
        assert_eq!(former(record), Some(frame));
        for changed in [0, 700, 1499] {
            note(record, Some(frame));
            memory[changed] ^= 1 << 40;
            assert_eq!(former(record), None, "word {changed}");
            memory[changed] ^= 1 << 40;
            assert_eq!(former(record), None, "it is forgotten");
        }
        note(record, Some(frame));
        note(record, None);
        assert_eq!(former(record), None);
        record.stop_frame.store(0x1000, Ordering::Relaxed);
        record.stop_frame_bytes.store(64, Ordering::Relaxed);
        assert_eq!(former(record), None, "it is no longer mapped");
        record.release();
    }
}
