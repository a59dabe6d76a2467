//! Looking at what a program gives to the kernel, before the kernel does: what cannot be read is the kernel's to refuse.
//!
//! Threads: any, in signal handlers too.

use core::{mem::MaybeUninit, ops::Range};
use gleaner::{
    base::addr::{Addr, Ambiguous},
    collect::closed,
    heap::{mutator, resolve},
    os::{stack, sys},
};

/// Copies what lies at `from`. `false`: not all of it can be read.
#[inline]
pub fn copy(from: usize, into: &mut [MaybeUninit<u8>]) -> bool {
    if !is_surely_readable(from..from.saturating_add(into.len())) {
        return copy_by_kernel(from, into);
    }
    // SAFETY: it can be read, as judged above, and `into` is ours.
    unsafe { core::ptr::copy_nonoverlapping(from as *const MaybeUninit<u8>, into.as_mut_ptr(), into.len()) };
    true
}

#[cold]
fn copy_by_kernel(from: usize, into: &mut [MaybeUninit<u8>]) -> bool {
    into.fill(MaybeUninit::new(0));
    // SAFETY: all of them have been written.
    let into = unsafe { core::slice::from_raw_parts_mut(into.as_mut_ptr().cast::<u8>(), into.len()) };
    sys::read_own_memory(from, into) == into.len()
}

/// A copy of the value at `from`. `None`: it cannot be read.
///
/// # Safety
/// Any bytes are a value of the type.
pub unsafe fn value<T: Copy>(from: *const T) -> Option<T> {
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: its bytes are ours, and need not be written yet.
    let bytes =
        unsafe { core::slice::from_raw_parts_mut(value.as_mut_ptr().cast::<MaybeUninit<u8>>(), size_of::<T>()) };
    // SAFETY: by the caller's promise.
    copy(from as usize, bytes).then(|| unsafe { value.assume_init() })
}

/// Whether it lies in this thread's own stack, where that is used, or in an object: there most messages are.
fn is_surely_readable(range: Range<usize>) -> bool {
    let own = mutator::current_or_hidden().map(|mutator| mutator.stack());
    if own.is_some_and(|stack| range.start >= stack::pointer().get() && stack.contains(Addr::new(range.start))) {
        return own.is_some_and(|stack| stack.contains(stack::pointer()) && range.end <= stack.end.get());
    }
    let object = resolve::resolve(Ambiguous(range.start)).filter(|_| !closed::may_be_any());
    object.is_some_and(|slot| range.end <= slot.start().get() + slot.bytes())
}
