//! Rooted handles.
//!
//! ```text
//!   Root | cell | value |        cell  | count | start of the object |     uncollectable: searched as a root
//! ```

use super::{
    gc::{Gc, place},
    hidden::Hidden,
};
use crate::{
    base::{
        addr::Addr,
        sync::{AtomicUsize, Ordering, fence},
    },
    collect::allocate,
    heap::{fast, kind::Kind},
    os::log,
};
use alloc::alloc::handle_alloc_error;
use core::{alloc::Layout, ops::Deref, ptr::NonNull};

/// What keeps the value: its address where it is always searched.
#[repr(C)]
struct Cell {
    count: AtomicUsize,
    object: Addr,
}

/// A handle that keeps its value wherever it lies itself: in memory of another allocator, behind a pointer that C has, in
/// memory shared with another process.
///
/// It is counted, as `Arc` is: [`Clone`] and [`Drop`] of it do something, and a cycle that leads through a `Root` in a value
/// never comes back. Within values use [`Gc`]. A `Root` needs no particular global allocator, so libraries that cannot
/// choose it have this tier; but what a value owns through another allocator does not come back either, since its
/// destructor does not run.
///
/// ```
/// use gleaner::Root;
/// let first = Root::new(String::from("kept"));
/// let second = first.clone();
/// drop(first);
/// assert_eq!(second.len(), 4);
/// assert_eq!(second, Root::from(String::from("kept")));
/// ```
#[repr(C, align(8))]
pub struct Root<T: ?Sized> {
    cell: NonNull<Cell>,
    value: NonNull<T>,
}

// SAFETY: it gives shared references to the value, which it never drops, and counts atomically.
unsafe impl<T: ?Sized + Sync> Send for Root<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Sync> Sync for Root<T> {}

impl<T> Root<T> {
    /// Puts a value on the heap, with a root.
    ///
    /// # Panics
    /// Without memory, even after collecting, the program ends by `handle_alloc_error`, as with `Box::new`.
    ///
    /// ```
    /// assert_eq!(*gleaner::Root::new(5), 5);
    /// ```
    pub fn new(value: T) -> Root<T> {
        let layout = Layout::new::<T>();
        // Not of the kind of `Gc`, whose magazines say that the boundary has been looked at.
        let Some(place) = place::take_anywhere(layout, Kind::SCANNED) else { handle_alloc_error(layout) };
        let place = place.cast::<T>();
        // SAFETY: taken for a value of this type.
        unsafe { place.write(value) };
        Root::of(place)
    }
}

impl<T: ?Sized> Root<T> {
    /// A root of what `value` points to, which the caller's pointer has kept until here.
    pub(super) fn of(value: NonNull<T>) -> Root<T> {
        let layout = Layout::new::<Cell>();
        let Some(cell) = place::take_anywhere(layout, Kind::UNCOLLECTABLE) else { handle_alloc_error(layout) };
        let cell = cell.cast::<Cell>();
        let (object, _) = Hidden::split(value);
        // SAFETY: taken for a cell, by this thread.
        unsafe { cell.write(Cell { count: AtomicUsize::new(1), object }) };
        Root { cell, value }
    }

    fn cell(&self) -> &Cell {
        // SAFETY: freed only by the last handle that has it.
        unsafe { self.cell.as_ref() }
    }

    /// The handle that may be copied. It has to lie where the collector searches.
    ///
    /// # Panics
    /// When the program's global allocator is not [`Gleaner`](crate::Gleaner).
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// use gleaner::{Gc, Root};
    /// let gc: Gc<u32> = Root::gc(&Root::new(5));
    /// assert_eq!(*gc, 5);
    /// ```
    #[track_caller]
    pub fn gc(this: &Root<T>) -> Gc<T> {
        Gc::of_root(this.value)
    }

    /// Whether both keep the same value.
    ///
    /// ```
    /// use gleaner::Root;
    /// let root = Root::new(1);
    /// assert!(Root::ptr_eq(&root, &root.clone()) && !Root::ptr_eq(&root, &Root::new(1)));
    /// ```
    pub fn ptr_eq(this: &Root<T>, other: &Root<T>) -> bool {
        core::ptr::addr_eq(this.value.as_ptr(), other.value.as_ptr())
    }
}

impl<T: ?Sized> Clone for Root<T> {
    fn clone(&self) -> Self {
        // Relaxed: this handle keeps the cell, and whoever gets the new one gets it by the program's own synchronisation.
        let former = self.cell().count.fetch_add(1, Ordering::Relaxed);
        if former > isize::MAX as usize {
            crate::fatal!("Root::clone: 2^63 handles to one value; look for a loop that forgets them");
        }
        Root { ..*self }
    }
}

impl<T: ?Sized> Drop for Root<T> {
    fn drop(&mut self) {
        // Release: what the other handles' threads did with the value comes before the cell is freed; pairs with the fence.
        if self.cell().count.fetch_sub(1, Ordering::Release) == 1 {
            fence(Ordering::Acquire);
            free(self.cell);
        }
    }
}

/// The last handle is gone.
fn free(cell: NonNull<Cell>) {
    let address = Addr::of(cell.as_ptr());
    // SAFETY: the last handle gives the cell up.
    if !unsafe { fast::push(address) } {
        let met = allocate::free(address, 0);
        if met != allocate::Freed::Done {
            log::print(format_args!("gleaner: Root: its cell was freed by somebody else: {met:?}"));
        }
    }
}

impl<T: ?Sized> Deref for Root<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: the cell keeps the value at least as long as this handle is there.
        unsafe { self.value.as_ref() }
    }
}

impl<T> From<T> for Root<T> {
    fn from(value: T) -> Self {
        Root::new(value)
    }
}

impl<T: ?Sized> From<Gc<T>> for Root<T> {
    fn from(gc: Gc<T>) -> Self {
        Gc::root(gc)
    }
}

impl<T: Default> Default for Root<T> {
    fn default() -> Self {
        Root::new(T::default())
    }
}
