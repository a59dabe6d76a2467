//! The boundary between the two tiers of handles.
//!
//! A [`Gc`](crate::Gc) is a plain copy of an address, so it may lie in any memory that the collector searches: in
//! particular in what `Box` and `Vec` have allocated. What those allocate comes back when it is unreachable, without their
//! destructors, only if it lies on this heap. So a `Gc` wants this heap to be the program's global allocator. A
//! [`Root`](crate::Root) does not.
//!
//! The compiler cannot tell which allocator a program has, so it is asked at run time: the first handle allocates a word,
//! and looks where it lies.

use crate::{
    base::{
        addr::Addr,
        sync::{AtomicBool, Ordering},
    },
    heap::cage,
};
use alloc::alloc::{alloc, dealloc, handle_alloc_error};
use core::{alloc::Layout, hint::black_box};

static HAS_OWN_ALLOCATOR: AtomicBool = AtomicBool::new(false);

/// Panics unless the program's global allocator is this heap.
#[inline]
#[track_caller]
pub(super) fn check() {
    // Relaxed: it goes from false to true once, and nothing else depends on it.
    if !HAS_OWN_ALLOCATOR.load(Ordering::Relaxed) {
        find_out();
    }
}

#[cold]
#[track_caller]
fn find_out() {
    assert!(
        is_own_allocator(),
        "gleaner: Gc: this program's global allocator is another one; declare `#[global_allocator] static HEAP: \
         gleaner::Gleaner = gleaner::Gleaner;`, or use gleaner::Root, which needs none"
    );
    HAS_OWN_ALLOCATOR.store(true, Ordering::Relaxed);
}

/// Whether what the global allocator hands out lies on this heap. An allocator of the program's own that takes its memory
/// from [`Gleaner`](crate::Gleaner) will do.
fn is_own_allocator() -> bool {
    let layout = Layout::new::<usize>();
    // SAFETY: the layout is not empty.
    let probe = black_box(unsafe { alloc(layout) });
    if probe.is_null() {
        handle_alloc_error(layout);
    }
    let is_own = cage::contains(Addr::of(probe));
    // SAFETY: allocated with this layout just now, and nobody else has it.
    unsafe { dealloc(probe, layout) };
    is_own
}
