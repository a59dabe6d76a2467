//! Weak handles.

use super::{gc::Gc, hidden::Hidden, pair::Pair};
use crate::base::addr::Addr;
use core::{fmt, ptr::NonNull};

/// A handle that does not keep its value.
///
/// It may be copied, and what is behind it is collected as well: there is nothing to give back. It says `None` once a
/// collection has found that nothing leads to the value, nor a destructor that is going to run; until then, which may be long
/// after the last other handle is gone, it gives one.
///
/// ```
/// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
/// use gleaner::{Gc, Weak};
/// use std::cell::Cell;
///
/// struct Child { parent: Cell<Option<Weak<Parent>>> }
/// struct Parent { children: Vec<Gc<Child>> }
///
/// let child = Gc::new(Child { parent: Cell::new(None) });
/// let parent = Gc::new(Parent { children: vec![child] });
/// child.parent.set(Some(Gc::downgrade(parent)));
///
/// let found = child.parent.get().unwrap().upgrade().unwrap();
/// assert!(Gc::ptr_eq(found, parent) && Gc::ptr_eq(found.children[0], child));
/// ```
pub struct Weak<T: ?Sized> {
    pair: Pair,
    value: Hidden<T>,
}

// SAFETY: a `Weak` is as good as the `Gc` that it gives.
unsafe impl<T: ?Sized + Sync> Send for Weak<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Sync> Sync for Weak<T> {}

impl<T: ?Sized> Clone for Weak<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Weak<T> {}

impl<T> Weak<T> {
    /// A handle to nothing, which takes no memory.
    ///
    /// ```
    /// use gleaner::Weak;
    /// use std::sync::Mutex;
    ///
    /// static LAST: Mutex<Weak<u32>> = Mutex::new(Weak::new());
    /// assert!(LAST.lock().unwrap().upgrade().is_none());
    /// ```
    pub const fn new() -> Weak<T> {
        Weak { pair: Pair::EMPTY, value: Hidden::NOTHING }
    }

    /// A handle to the value that is going to be at `place`, the start of an object. Until [`come`](Self::come) it is one to
    /// nothing.
    pub(super) fn to_come(place: NonNull<T>) -> Weak<T> {
        let (_, value) = Hidden::split(place);
        Weak { pair: Pair::new(Addr::NULL, 0), value }
    }

    /// The value that this handle, [`to_come`](Self::to_come)'s, was made for is there: it and its copies find it from here on.
    pub(super) fn come(&self, value: Gc<T>) {
        let (start, _) = Hidden::split(Gc::as_non_null(value));
        self.pair.set(start, 0);
    }
}

impl<T: ?Sized> Weak<T> {
    pub(super) fn of(value: Gc<T>) -> Weak<T> {
        let (start, value) = Hidden::split(Gc::as_non_null(value));
        Weak { pair: Pair::new(start, 0), value }
    }

    /// The value, if it is still there.
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// # unsafe { gleaner::start()? };
    /// use gleaner::Gc;
    ///
    /// #[inline(never)]
    /// fn forgotten() -> Vec<gleaner::Weak<u32>> {
    ///     (0..100).map(|number| Gc::downgrade(Gc::new(number))).collect()
    /// }
    /// let weak = forgotten();
    /// gleaner::collect();
    /// // A stale word on the stack may keep one or the other.
    /// assert!(weak.iter().filter(|weak| weak.upgrade().is_none()).count() > 90);
    /// # Ok::<(), gleaner::StartError>(())
    /// ```
    #[inline]
    pub fn upgrade(&self) -> Option<Gc<T>> {
        self.value.join(self.pair.key()).map(Gc::of_found)
    }

    /// Whether both are handles to the same value, or both to nothing from the start. Of values that have died only copies of
    /// one handle are known to be the same.
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// use gleaner::{Gc, Weak};
    /// let (one, other) = (Gc::new(1), Gc::new(1));
    /// assert!(Gc::downgrade(one).ptr_eq(&Gc::downgrade(one)));
    /// assert!(!Gc::downgrade(one).ptr_eq(&Gc::downgrade(other)));
    /// assert!(Weak::<u32>::new().ptr_eq(&Weak::new()));
    /// ```
    pub fn ptr_eq(&self, other: &Weak<T>) -> bool {
        match (self.upgrade(), other.upgrade()) {
            (Some(value), Some(other)) => Gc::ptr_eq(value, other),
            (None, None) => self.pair.is_same(&other.pair) && self.value.is_same(other.value),
            _ => false,
        }
    }
}

impl<T> Default for Weak<T> {
    fn default() -> Self {
        Weak::new()
    }
}

impl<T: ?Sized> fmt::Debug for Weak<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(Weak)")
    }
}
