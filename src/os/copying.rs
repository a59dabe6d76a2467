//! Memory read by copying: a system call says no where an instruction would fault.
//!
//! | how | reads |
//! |---|---|
//! | `process_vm_readv` | what the program may read |
//! | `/proc/self/mem` | what the program may not read at the moment, too; a kernel can be built to refuse that |
//!
//! Where a filter of system calls refuses the first, the second takes its place.
//!
//! Holds:   a copy lies as its original does, so that words begin where they began.
//! Threads: anyone.

use super::{
    mem::PAGE,
    sys::{self, File},
};
use crate::base::addr::{Addr, Range};

const WORD: usize = size_of::<u64>();

/// Room for a page, for the bytes in front of it that make the copy lie as the original, and for the word that follows.
type Buffer = [u64; PAGE / WORD + 2];

/// The process's memory as a file. By the thread: the process has none in the kernel's eyes once the main thread has ended.
fn open_memory() -> Option<File> {
    File::open(c"/proc/thread-self/mem").ok()
}

/// Who copies what the program may read; where only the file lets itself be read, more.
struct Copier {
    /// The file, once it was needed.
    memory: Option<File>,
}

impl Copier {
    const fn new() -> Copier {
        Copier { memory: None }
    }

    /// Copies as many bytes as fit, or fewer: their number.
    fn copy(&mut self, from: Addr, to: &mut [u8]) -> usize {
        match sys::copy_own_memory(from.get(), to) {
            Ok(copied) => copied,
            Err(libc::EFAULT) => 0,
            Err(_) => {
                self.memory = self.memory.take().or_else(open_memory);
                let copied = self.memory.as_ref().and_then(|memory| memory.read_bytes_at(to, from.get() as u64).ok());
                copied.unwrap_or(0)
            }
        }
    }
}

/// Copies so many bytes from `from`, or fewer where they cannot be read: the number copied.
pub fn copy(from: Addr, to: &mut [u8]) -> usize {
    Copier::new().copy(from, to)
}

/// Whether the kernel lets itself be asked for copies at all.
pub fn is_possible() -> bool {
    let word = 0x5a5a_usize;
    let mut copied = [0; size_of::<usize>()];
    copy(Addr::of(&raw const word), &mut copied) == copied.len() && usize::from_ne_bytes(copied) == word
}

/// Visits copies of what the program may read of a range, a page at a time, each with the first bytes of the page that
/// follows: a word may lie across both.
pub fn for_each_page(range: Range, visit: impl FnMut(Range)) {
    let mut copier = Copier::new();
    copy_pages(range, |from, to| Some(copier.copy(from, to)), visit);
}

/// As [`for_each_page`], whatever the program may do there. `false`: the kernel refuses, and some pages are not visited.
pub fn for_each_closed_page(range: Range, visit: impl FnMut(Range)) -> bool {
    let Some(memory) = open_memory() else { return false };
    copy_pages(range, |from, to| memory.read_bytes_at(to, from.get() as u64).ok().filter(|&count| count > 0), visit)
}

/// Copies by `copy`, which says how many bytes it got. `false`: it could not say, and that was the end.
#[inline(never)]
fn copy_pages(
    range: Range,
    mut copy: impl FnMut(Addr, &mut [u8]) -> Option<usize>,
    mut visit: impl FnMut(Range),
) -> bool {
    let mut buffer: Buffer = [0; _];
    let mut at = range.start;
    while at < range.end {
        let next = (at + 1).align_up(PAGE);
        let bytes = range.end.min(next + WORD) - at;
        let front = at.get() % WORD;
        // SAFETY: `buffer` may be seen as its bytes, and any bytes are words.
        let room = unsafe { core::slice::from_raw_parts_mut(buffer.as_mut_ptr().cast::<u8>().add(front), bytes) };
        let Some(copied) = copy(at, room) else { return false };
        visit(Range::sized(Addr::of(room.as_ptr()), copied));
        at = next;
    }
    true
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::os::mem::{self, Protection};
    use std::vec::Vec;

    /// Three pages of numbers; of the second nothing may be read, if `is_closed`.
    fn numbers(is_closed: bool) -> Range {
        let start = mem::map(3 * PAGE).unwrap();
        for index in 0..3 * PAGE / WORD {
            // SAFETY: mapped just now.
            unsafe { (start + index * WORD).as_ptr::<u64>().write(index as u64) };
        }
        if is_closed {
            mem::protect(Range::sized(start + PAGE, PAGE), Protection { read: false, write: false, execute: false });
        }
        Range::sized(start, 3 * PAGE)
    }

    /// The numbers that lie in copies as they lie in memory.
    fn words_in(copies: impl FnOnce(&mut dyn FnMut(Range))) -> Vec<u64> {
        let mut found = Vec::new();
        copies(&mut |copy: Range| {
            let words = Range::new(copy.start.align_up(WORD), copy.end.align_down(WORD));
            // SAFETY: the copy is there until this returns, and read at multiples of a word.
            found.extend((words.start.get()..words.end.get()).step_by(WORD).map(|at| unsafe { *(at as *const u64) }));
        });
        found.sort_unstable();
        found.dedup();
        found
    }

    fn expected(part: Range, range: Range, is_there: impl Fn(usize) -> bool) -> Vec<u64> {
        let all = 0..range.bytes() / WORD;
        let is_whole = |&index: &usize| {
            let word = Range::sized(range.start + index * WORD, WORD);
            word.start >= part.start && word.end <= part.end
        };
        all.filter(is_whole).filter(|index| is_there(index * WORD / PAGE)).map(|index| index as u64).collect()
    }

    #[test]
    fn each_word_of_a_range_that_begins_and_ends_anywhere_is_in_a_copy() {
        let range = numbers(false);
        for (front, back) in [(0, 0), (8, 16), (1, 7), (4095, 3), (PAGE + 5, PAGE - 3), (2 * PAGE - 4, 0)] {
            let part = Range::new(range.start + front, Addr::new(range.end.get() - back));
            let found = words_in(|visit| for_each_page(part, visit));
            assert_eq!(found, expected(part, range, |_| true), "{front} bytes from the start to {back} from the end");
        }
        mem::unmap(range.start, range.bytes());
    }

    #[test]
    fn what_may_not_be_read_is_passed_over_or_read_all_the_same() {
        let range = numbers(true);
        let found = words_in(|visit| for_each_page(range, visit));
        assert_eq!(found, expected(range, range, |page| page != 1));
        let mut can_force = true;
        let found = words_in(|visit| can_force = for_each_closed_page(range, visit));
        assert!(!can_force || found == expected(range, range, |_| true));
        mem::unmap(range.start, range.bytes());
        assert!(!for_each_closed_page(range, |_| {}), "nothing is there");
    }
}
