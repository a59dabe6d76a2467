//! Places for values: where a handle's object comes from.

use crate::{
    api::{begin, boundary},
    base::addr::Addr,
    collect::allocate,
    heap::{Request, fast, kind::Kind, size_class},
};
use alloc::alloc::handle_alloc_error;
use core::{alloc::Layout, ptr::NonNull};

/// Memory for a value, or `None`. Its bytes are what they were.
#[inline(always)]
#[track_caller]
pub(super) fn try_take(layout: Layout, kind: Kind) -> Option<NonNull<u8>> {
    if layout.align() <= size_class::GRANULE {
        // A magazine of this kind was filled by the slow path, so the boundary has been looked at.
        if let Some(slot) = NonNull::new(fast::pop(layout.size(), kind)) {
            return Some(slot);
        }
    }
    take_slowly(layout, kind)
}

/// Memory for a value. Without any the program ends as it does when `Box::new` finds none.
#[inline(always)]
#[track_caller]
pub(in crate::api) fn take(layout: Layout, kind: Kind) -> NonNull<u8> {
    try_take(layout, kind).unwrap_or_else(|| handle_alloc_error(layout))
}

#[cold]
#[inline(never)]
#[track_caller]
fn take_slowly(layout: Layout, kind: Kind) -> Option<NonNull<u8>> {
    boundary::check();
    take_anywhere(layout, kind)
}

/// As [`try_take`], for whom the boundary does not concern.
pub(in crate::api) fn take_anywhere(layout: Layout, kind: Kind) -> Option<NonNull<u8>> {
    begin::begin();
    let request = Request { align: layout.align(), ..Request::new(layout.size(), kind) };
    allocate::allocate(&request).ok().and_then(|object: Addr| NonNull::new(object.as_ptr()))
}
