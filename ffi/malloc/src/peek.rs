//! Looking at what a program gives to the kernel, before the kernel does: what cannot be read is the kernel's to refuse.
//!
//! Most of it lies on the caller's stack, in the heap, or in the program's own data. Of other memory the kernel is asked, by
//! the quickest of its calls that read memory and change nothing. Under a filter of system calls, where nothing is
//! reclaimed anyway, it is not asked, and nothing is looked at.
//!
//! Threads: any, in signal handlers too.

use core::{mem::MaybeUninit, ops::Range};
use gleaner::{
    base::{
        addr::{self, Addr},
        sync::{AtomicUsize, Ordering},
    },
    collect::{closed, reports, roots::sealed},
    heap::{cage, mutator},
    os::{stack, statics, sys},
};

/// The program's own segments. Relaxed: written while one thread runs.
static PROGRAM: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

/// Looks where the program lies, while one thread runs.
pub fn find_program() {
    statics::for_each_object(|object| {
        if object.path.is_empty() && PROGRAM[1].load(Ordering::Relaxed) == 0 {
            let range = object.readable();
            PROGRAM[0].store(range.start.get(), Ordering::Relaxed);
            PROGRAM[1].store(range.end.get(), Ordering::Relaxed);
        }
    });
}

/// What is looked at has no more bytes.
pub const BYTES_MAX: usize = 128;

/// Whether so many bytes at `from` can be read.
#[inline(always)]
pub fn is_readable(from: usize, bytes: usize) -> bool {
    is_surely_readable(from..from.saturating_add(bytes)) || is_readable_by_kernel(from, bytes)
}

/// Whether it lies in this thread's own stack, where that is used, in the heap, or in the program.
#[inline(always)]
fn is_surely_readable(range: Range<usize>) -> bool {
    let pointer = stack::pointer();
    let is_on_stack =
        |stack: addr::Range| stack.contains(pointer) && range.start >= pointer.get() && range.end <= stack.end.get();
    if mutator::current_or_hidden().is_some_and(|mutator| is_on_stack(mutator.stack())) {
        return true;
    }
    let is_in_heap = |addr| cage::unit_of(Addr::new(addr)).is_some();
    if is_in_heap(range.start) {
        return is_in_heap(range.end.wrapping_sub(1)) && !closed::may_be_any();
    }
    let [start, end] = PROGRAM.each_ref().map(|word| word.load(Ordering::Relaxed));
    let range = addr::Range::new(Addr::new(range.start), Addr::new(range.end));
    range.start.get() >= start && range.end.get() <= end && !sealed::may_touch(range)
}

#[cold]
fn is_readable_by_kernel(from: usize, bytes: usize) -> bool {
    bytes <= BYTES_MAX && reports::may_reclaim() && (bytes == 0 || sys::can_read(from, bytes))
}

/// Copies what lies at `from`. `false`: not all of it can be read.
pub fn copy(from: usize, into: &mut [MaybeUninit<u8>]) -> bool {
    let is_readable = is_readable(from, into.len());
    if is_readable {
        // SAFETY: it can be read, as judged above, and `into` is ours.
        unsafe { core::ptr::copy_nonoverlapping(from as *const MaybeUninit<u8>, into.as_mut_ptr(), into.len()) };
    }
    is_readable
}

/// A copy of the value at `from`. `None`: it cannot be read.
///
/// # Safety
/// Any bytes are a value of the type.
#[inline(always)]
pub unsafe fn value<T: Copy>(from: *const T) -> Option<T> {
    const { assert!(size_of::<T>() <= BYTES_MAX) };
    // SAFETY: it can be read, and by the caller's promise.
    is_readable(from as usize, size_of::<T>()).then(|| unsafe { from.read_unaligned() })
}
