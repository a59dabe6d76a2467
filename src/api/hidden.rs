//! Addresses that the collector does not see: how a weak handle knows its object's type without keeping it.
//!
//! A pointer to a slice or a `dyn Trait` is two words, the address and what else there is to know. The second cannot be
//! had alone, so the pointer is kept with another address in it: the distance from the start of the object, a small number.

use crate::{
    base::addr::{Addr, Ambiguous},
    heap::resolve,
};
use core::ptr::NonNull;

/// A pointer without the address of its object.
pub(super) struct Hidden<T: ?Sized>(*const T);

impl<T: ?Sized> Clone for Hidden<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Hidden<T> {}

impl<T> Hidden<T> {
    /// What belongs to no object. It is joined with none.
    pub(super) const NOTHING: Hidden<T> = Hidden(core::ptr::null());
}

impl<T: ?Sized> Hidden<T> {
    /// Takes a pointer apart: the start of the object that it points into, and the rest. What lies outside the heap is its
    /// own start.
    pub(super) fn split(pointer: NonNull<T>) -> (Addr, Hidden<T>) {
        let address = Addr::of(pointer.as_ptr().cast::<u8>());
        let start = resolve::resolve(Ambiguous(address.get())).map_or(address, |slot| slot.start());
        (start, Hidden(pointer.as_ptr().wrapping_byte_sub(start.get())))
    }

    /// Whether both are at the same distance from the start of their objects.
    pub(super) fn is_same(self, other: Hidden<T>) -> bool {
        core::ptr::addr_eq(self.0, other.0)
    }

    /// Puts it together again; `None` for no object.
    pub(super) fn join(self, start: Addr) -> Option<NonNull<T>> {
        if start.is_null() { None } else { NonNull::new(self.0.wrapping_byte_add(start.get()).cast_mut()) }
    }
}
