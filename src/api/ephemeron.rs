//! Ephemerons.

use super::{gc::Gc, hidden::Hidden, pair::Pair};
use crate::base::addr::Addr;
use core::{fmt, marker::PhantomData, ptr::NonNull};

/// A key, and a value that lives no longer than the key.
///
/// It does not keep its key, and it keeps its value as long as something else keeps the key: also if the value refers to
/// the key, for which a weak handle beside a `Gc` would be a leak (Hayes, "Ephemerons: a new finalization mechanism",
/// 1997). It may be copied, and is collected itself. For many of them there is [`WeakMap`](crate::WeakMap).
///
/// ```
/// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
/// use gleaner::{Ephemeron, Gc};
///
/// let key = Gc::new(String::from("somebody else's object"));
/// let note = Ephemeron::new(key, Gc::new(("what we know of it", key)));
/// assert_eq!(note.value().unwrap().0, "what we know of it");
/// ```
pub struct Ephemeron<K: ?Sized, V> {
    pair: Pair,
    key: Hidden<K>,
    value: PhantomData<Gc<V>>,
}

// SAFETY: it is as good as the two handles that it gives.
unsafe impl<K: ?Sized + Sync, V: Sync> Send for Ephemeron<K, V> {}
// SAFETY: as above.
unsafe impl<K: ?Sized + Sync, V: Sync> Sync for Ephemeron<K, V> {}

impl<K: ?Sized, V> Clone for Ephemeron<K, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K: ?Sized, V> Copy for Ephemeron<K, V> {}

impl<K: ?Sized, V> Ephemeron<K, V> {
    /// A pair of a key and its value.
    ///
    /// # Panics
    /// Without memory the program ends by `handle_alloc_error`.
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// use gleaner::{Ephemeron, Gc};
    /// let key = Gc::new(1);
    /// let pair = Ephemeron::new(key, Gc::new("one"));
    /// assert_eq!(pair.key(), Some(key));
    /// ```
    pub fn new(key: Gc<K>, value: Gc<V>) -> Ephemeron<K, V> {
        let (start, key) = Hidden::split(Gc::as_non_null(key));
        let pair = Pair::new(start, Gc::as_ptr(value).expose_provenance());
        Ephemeron { pair, key, value: PhantomData }
    }

    /// The key, or `None` once it has died.
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// # use gleaner::{Ephemeron, Gc};
    /// # let key = Gc::new(1);
    /// assert_eq!(Ephemeron::new(key, Gc::new("one")).key(), Some(key));
    /// ```
    #[inline]
    pub fn key(&self) -> Option<Gc<K>> {
        self.key.join(self.pair.key()).map(Gc::of_found)
    }

    /// The value, or `None` once the key has died.
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// # use gleaner::{Ephemeron, Gc};
    /// # let key = Gc::new(1);
    /// assert_eq!(*Ephemeron::new(key, Gc::new("one")).value().unwrap(), "one");
    /// ```
    #[inline]
    pub fn value(&self) -> Option<Gc<V>> {
        NonNull::new(core::ptr::with_exposed_provenance_mut(self.pair.value())).map(Gc::of_found)
    }

    /// Both, or `None` once the key has died.
    pub(super) fn both(&self) -> Option<(Gc<K>, Gc<V>)> {
        Some((self.key()?, self.value()?))
    }

    /// Forgets both, for whoever has a copy.
    pub(super) fn clear(&self) {
        self.pair.set(Addr::NULL, 0);
    }

    /// One of nothing, which keeps no pair.
    pub(super) fn emptied(self) -> Ephemeron<K, V> {
        Ephemeron { pair: Pair::EMPTY, ..self }
    }

    /// Whether it is an [`emptied`](Self::emptied) one.
    pub(super) fn is_emptied(&self) -> bool {
        self.pair.is_same(&Pair::EMPTY)
    }
}

impl<K: ?Sized, V> fmt::Debug for Ephemeron<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(Ephemeron)")
    }
}
