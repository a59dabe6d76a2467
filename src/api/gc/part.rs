//! Handles to parts: a field, an element, a slice, the value as a `dyn Trait`.
//!
//! Any address inside an object keeps it, so a part needs nothing but its own. A part without a byte has none inside: what
//! it would have may be the end of one object and the start of the next. It gets the address of the value that it was
//! asked of.
//!
//! Holds: a handle's address is that of a byte in the object that it keeps, or lies outside the heap.

use super::Gc;
use core::{any::Any, ptr::NonNull};

impl<T: ?Sized> Gc<T> {
    /// A handle to a part of the value, or to the value as a `dyn Trait` or a slice. It keeps what the part lies in: the whole
    /// value, or the buffer that the value owns. A part without a byte, such as the rest of a slice behind its last element,
    /// keeps the value.
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// use gleaner::Gc;
    /// use std::fmt::Display;
    ///
    /// let pair = Gc::new((String::from("left"), 2));
    /// let left: Gc<str> = Gc::map(pair, |pair| pair.0.as_str());
    /// let shown: Gc<dyn Display> = Gc::map(pair, |pair| &pair.1 as &dyn Display);
    /// assert_eq!(format!("{left} {shown}"), "left 2");
    /// ```
    ///
    /// The part is the value's own, or lives for ever; not what a value borrows:
    ///
    /// ```compile_fail
    /// # use gleaner::Gc;
    /// fn outlives(borrowed: Gc<&u32>) -> Gc<u32> {
    ///     Gc::map(borrowed, |reference| *reference)
    /// }
    /// ```
    ///
    /// Nor is it somebody else's, whatever its type is good for:
    ///
    /// ```compile_fail
    /// # use gleaner::Gc;
    /// fn on_the_stack<'a>(function: &'a fn(&'a u8)) -> Gc<fn(&'a u8)> {
    ///     Gc::map(Gc::new(()), |_: &()| -> &fn(&'a u8) { function })
    /// }
    /// ```
    // The part's type is `'static` too. Else it could name a lifetime, a closure might return whatever lives so long, and a
    // handle of a type that accepts a longer one (a `fn` that takes the reference) would outlive it.
    #[inline(always)]
    pub fn map<U: ?Sized + 'static>(this: Gc<T>, part: impl for<'a> FnOnce(&'a T) -> &'a U) -> Gc<U>
    where
        T: 'static,
    {
        Gc::at_part(this, part(Gc::get(this)))
    }

    /// As [`map`](Self::map), where there may be no such part.
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// use gleaner::Gc;
    /// let words = Gc::new(vec!["one", "two"]);
    /// let second: Option<Gc<&str>> = Gc::filter_map(words, |words| words.get(1));
    /// assert_eq!(second.as_deref(), Some(&"two"));
    /// assert_eq!(Gc::filter_map(words, |words| words.get(2)), None);
    /// ```
    #[inline(always)]
    pub fn filter_map<U: ?Sized + 'static>(
        this: Gc<T>,
        part: impl for<'a> FnOnce(&'a T) -> Option<&'a U>,
    ) -> Option<Gc<U>>
    where
        T: 'static,
    {
        part(Gc::get(this)).map(|part| Gc::at_part(this, part))
    }

    /// As [`map`](Self::map), where looking for the part may fail.
    ///
    /// # Errors
    /// What the closure says. It may not say a borrowed part of the value.
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// use gleaner::Gc;
    /// let bytes: Gc<[u8]> = Gc::from(*b"text");
    /// let text: Gc<str> = Gc::try_map(bytes, |bytes| std::str::from_utf8(bytes))?;
    /// assert_eq!(&*text, "text");
    /// # Ok::<(), std::str::Utf8Error>(())
    /// ```
    #[inline(always)]
    pub fn try_map<U: ?Sized + 'static, E>(
        this: Gc<T>,
        part: impl for<'a> FnOnce(&'a T) -> Result<&'a U, E>,
    ) -> Result<Gc<U>, E>
    where
        T: 'static,
    {
        part(Gc::get(this)).map(|part| Gc::at_part(this, part))
    }

    /// The handle to a part of `this`, or to what lives for ever.
    #[inline(always)]
    fn at_part<U: ?Sized>(this: Gc<T>, part: &U) -> Gc<U> {
        let value = NonNull::from(part);
        Gc { value: if size_of_val(part) == 0 { place_of_empty(value, this.value.cast()) } else { value } }
    }
}

/// `part`, which has no byte, at the address of the value; or, where that does not suit its type, since the part is not
/// the value's own, outside the heap.
#[cold]
fn place_of_empty<U: ?Sized>(part: NonNull<U>, value: NonNull<u8>) -> NonNull<U> {
    // SAFETY: made of a reference, which the caller has.
    let align = align_of_val(unsafe { part.as_ref() });
    if value.addr().get().is_multiple_of(align) {
        return with_address(part.as_ptr(), value);
    }
    // The first multiple of the alignment, which is in no heap.
    let nowhere = core::ptr::without_provenance_mut(align);
    // SAFETY: an alignment is not zero.
    with_address(part.as_ptr(), unsafe { NonNull::new_unchecked(nowhere) })
}

/// A pointer to `place` that knows the length or the methods that `pointer` knows. It is made of the place's pointer and
/// not by a distance from the other, through which the compiler would expect to reach the other's memory only.
pub(super) fn with_address<T: ?Sized>(mut pointer: *mut T, place: NonNull<u8>) -> NonNull<T> {
    // SAFETY: all pointers are at least one word; which of a wide one's two is the address is looked at below.
    unsafe { (&raw mut pointer).cast::<*mut u8>().write(place.as_ptr()) };
    assert!(pointer.cast::<u8>() == place.as_ptr(), "a wide pointer begins with its address");
    // SAFETY: not null, being the place's address.
    unsafe { NonNull::new_unchecked(pointer) }
}

macro_rules! downcast {
    ($($any:ty),*) => {$(
        impl Gc<$any> {
            /// The handle to the value as what it is, if it is a `T`.
            ///
            /// # Errors
            /// The handle itself, where the value is something else.
            ///
            /// ```
            /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
            /// use gleaner::Gc;
            /// use std::any::Any;
            ///
            #[doc = concat!("let any: Gc<", stringify!($any), "> = Gc::map(Gc::new(5u32), |five| five as _);")]
            /// assert_eq!(any.downcast::<u32>().as_deref().ok(), Some(&5));
            /// assert!(any.downcast::<i32>().is_err());
            /// ```
            pub fn downcast<T: Any>(self) -> Result<Gc<T>, Self> {
                Gc::filter_map(self, |any| any.downcast_ref()).ok_or(self)
            }
        }
    )*};
}

downcast! { dyn Any, dyn Any + Send, dyn Any + Send + Sync }

/// ```
/// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
/// use gleaner::Gc;
/// let numbers: Gc<[u32]> = (1..=3).collect();
/// let three: Gc<[u32; 3]> = numbers.try_into().unwrap();
/// assert_eq!(*three, [1, 2, 3]);
/// assert!(Gc::<[u32; 2]>::try_from(numbers).is_err());
/// ```
impl<T, const N: usize> TryFrom<Gc<[T]>> for Gc<[T; N]> {
    type Error = Gc<[T]>;

    fn try_from(slice: Gc<[T]>) -> Result<Self, Self::Error> {
        if slice.len() == N { Ok(Gc { value: slice.value.cast() }) } else { Err(slice) }
    }
}

impl From<Gc<str>> for Gc<[u8]> {
    fn from(text: Gc<str>) -> Self {
        let bytes = NonNull::slice_from_raw_parts(text.value.cast(), text.len());
        Gc { value: bytes }
    }
}
