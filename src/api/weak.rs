//! Weak handles.

use super::{gc::Gc, hidden::Hidden, pair::Pair};
use core::fmt;

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

impl<T: ?Sized> Weak<T> {
    pub(super) fn new(of: Gc<T>) -> Weak<T> {
        let (start, value) = Hidden::split(Gc::as_non_null(of));
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
}

impl<T: ?Sized> fmt::Debug for Weak<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(Weak)")
    }
}
