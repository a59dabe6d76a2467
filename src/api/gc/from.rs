//! Handles from what a program already has: boxes, vectors, strings, slices, iterators.
//!
//! Bytes are moved, so no destructor runs, and what held them before gives its memory up.

use super::{Gc, PointerFree, part::with_address, place};
use crate::{api::root::Root, heap::kind::Kind};
use alloc::{
    alloc::handle_alloc_error,
    borrow::{Cow, ToOwned},
    boxed::Box,
    ffi::CString,
    string::String,
    vec::Vec,
};
use core::{
    alloc::Layout,
    ffi::CStr,
    mem::ManuallyDrop,
    ptr::{self, NonNull},
};

/// Room for `length` values. Its bytes are what they were.
#[track_caller]
fn room<T>(length: usize, kind: Kind) -> NonNull<T> {
    match Layout::array::<T>(length) {
        Ok(layout) => place::take(layout, kind).cast(),
        // Longer than any object can be: the limit of the type stands for it.
        Err(_) => handle_alloc_error(Layout::new::<T>()),
    }
}

/// The handle to `length` values that have been written to `first`.
fn slice_at<T>(first: NonNull<T>, length: usize) -> Gc<[T]> {
    Gc { value: NonNull::slice_from_raw_parts(first, length) }
}

impl<T> Gc<[T]> {
    /// A slice of `length` values, the result of `value_at` for each index.
    ///
    /// # Panics
    /// As [`Gc::new`].
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// let squares = gleaner::Gc::slice_from_fn(5, |index| index * index);
    /// assert_eq!(*squares, [0, 1, 4, 9, 16]);
    /// ```
    #[track_caller]
    pub fn slice_from_fn(length: usize, mut value_at: impl FnMut(usize) -> T) -> Gc<[T]> {
        let first = room::<T>(length, Kind::VALUE);
        for index in 0..length {
            // SAFETY: there is room for `length` values.
            unsafe { first.add(index).write(value_at(index)) };
        }
        slice_at(first, length)
    }

    /// A copy of a slice without pointers: the collector never looks into it.
    ///
    /// # Panics
    /// As [`Gc::new`].
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// let bytes = gleaner::Gc::slice_pointer_free(b"a picture");
    /// assert_eq!(bytes.len(), 9);
    /// ```
    #[track_caller]
    pub fn slice_pointer_free(values: &[T]) -> Gc<[T]>
    where
        T: PointerFree + Copy,
    {
        let first = room::<T>(values.len(), Kind::POINTER_FREE);
        // SAFETY: there is room for as many values, which may be copied.
        unsafe { ptr::copy_nonoverlapping(values.as_ptr(), first.as_ptr(), values.len()) };
        slice_at(first, values.len())
    }
}

impl<T> From<T> for Gc<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Gc::new(value)
    }
}

/// What the box holds moves, and the box's memory is given up. This is the way for values whose type is known at run time
/// only, and for types of other crates: a `Gc<Path>` comes from a `Box<Path>`.
///
/// ```
/// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
/// use gleaner::Gc;
/// use std::path::Path;
/// let shown: Gc<dyn std::fmt::Display> = Gc::from(Box::new(3.5) as Box<dyn std::fmt::Display>);
/// assert_eq!(shown.to_string(), "3.5");
/// let path: Gc<Path> = Box::<Path>::from(Path::new("/usr/share")).into();
/// assert!(path.starts_with("/usr"));
/// ```
impl<T: ?Sized> From<Box<T>> for Gc<T> {
    #[track_caller]
    fn from(boxed: Box<T>) -> Self {
        Gc { value: unboxed(boxed, |layout| place::take(layout, Kind::VALUE)) }
    }
}

/// As for `Gc`; and since a `Root` needs no particular global allocator, the way to one of a slice, a text or a `dyn Trait`.
///
/// ```
/// use gleaner::Root;
/// let text: Root<str> = Box::<str>::from("kept").into();
/// let add: Root<dyn Fn(usize) -> usize> = Root::from(Box::new(|x: usize| x + 1) as Box<dyn Fn(_) -> _>);
/// assert_eq!(add(text.len()), 5);
/// ```
impl<T: ?Sized> From<Box<T>> for Root<T> {
    fn from(boxed: Box<T>) -> Self {
        let take = |layout| place::take_anywhere(layout, Kind::SCANNED).unwrap_or_else(|| handle_alloc_error(layout));
        Root::of(unboxed(boxed, take))
    }
}

/// Moves what a box holds to a place of its layout.
#[track_caller]
fn unboxed<T: ?Sized>(boxed: Box<T>, take: impl FnOnce(Layout) -> NonNull<u8>) -> NonNull<T> {
    let layout = Layout::for_value(&*boxed);
    let place = take(layout);
    let value = Box::into_raw(boxed);
    // SAFETY: the place has the value's layout; the value moves there, so its box is one of bytes that are nobody's.
    unsafe {
        ptr::copy_nonoverlapping(value.cast::<u8>(), place.as_ptr(), layout.size());
        drop(Box::from_raw(value as *mut ManuallyDrop<T>));
    }
    with_address(value, place)
}

impl<T> From<Vec<T>> for Gc<[T]> {
    #[track_caller]
    fn from(mut values: Vec<T>) -> Self {
        let first = room::<T>(values.len(), Kind::VALUE);
        // SAFETY: there is room for as many values; they move, so the vector has none left.
        unsafe {
            ptr::copy_nonoverlapping(values.as_ptr(), first.as_ptr(), values.len());
            let length = values.len();
            values.set_len(0);
            slice_at(first, length)
        }
    }
}

impl<T: Clone> From<&[T]> for Gc<[T]> {
    #[track_caller]
    fn from(values: &[T]) -> Self {
        Gc::slice_from_fn(values.len(), |index| values[index].clone())
    }
}

impl<T: Clone> From<&mut [T]> for Gc<[T]> {
    #[track_caller]
    fn from(values: &mut [T]) -> Self {
        Gc::from(&*values)
    }
}

impl<T, const N: usize> From<[T; N]> for Gc<[T]> {
    #[track_caller]
    fn from(values: [T; N]) -> Self {
        let array = Gc::new(values);
        slice_at(array.value.cast(), N)
    }
}

/// ```
/// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
/// let name: gleaner::Gc<str> = "pointer-free".into();
/// assert_eq!(name.len(), 12);
/// ```
impl From<&str> for Gc<str> {
    #[track_caller]
    fn from(text: &str) -> Self {
        let bytes = Gc::slice_pointer_free(text.as_bytes());
        // SAFETY: these are the bytes of a text.
        Gc { value: NonNull::from(unsafe { core::str::from_utf8_unchecked(Gc::get(bytes)) }) }
    }
}

impl From<String> for Gc<str> {
    #[track_caller]
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<&mut str> for Gc<str> {
    #[track_caller]
    fn from(text: &mut str) -> Self {
        Gc::from(&*text)
    }
}

/// ```
/// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
/// use gleaner::Gc;
/// let name: Gc<std::ffi::CStr> = c"of C".into();
/// assert_eq!(name.to_bytes(), b"of C");
/// ```
impl From<&CStr> for Gc<CStr> {
    #[track_caller]
    fn from(text: &CStr) -> Self {
        let bytes = Gc::slice_pointer_free(text.to_bytes_with_nul());
        // SAFETY: these are the bytes of such a text.
        Gc { value: NonNull::from(unsafe { CStr::from_bytes_with_nul_unchecked(Gc::get(bytes)) }) }
    }
}

impl From<&mut CStr> for Gc<CStr> {
    #[track_caller]
    fn from(text: &mut CStr) -> Self {
        Gc::from(&*text)
    }
}

impl From<CString> for Gc<CStr> {
    #[track_caller]
    fn from(text: CString) -> Self {
        text.as_c_str().into()
    }
}

/// ```
/// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
/// use gleaner::Gc;
/// use std::borrow::Cow;
/// let text: Gc<str> = Cow::Borrowed("read").into();
/// let numbers: Gc<[u32]> = Cow::<[u32]>::Owned(vec![1, 2]).into();
/// assert_eq!((&*text, &*numbers), ("read", &[1, 2][..]));
/// ```
impl<'a, B: ?Sized + ToOwned> From<Cow<'a, B>> for Gc<B>
where
    Gc<B>: From<&'a B> + From<B::Owned>,
{
    #[track_caller]
    fn from(value: Cow<'a, B>) -> Self {
        match value {
            Cow::Borrowed(value) => Gc::from(value),
            Cow::Owned(value) => Gc::from(value),
        }
    }
}

/// ```
/// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
/// let even: gleaner::Gc<[u32]> = (0..10).filter(|number| number % 2 == 0).collect();
/// assert_eq!(*even, [0, 2, 4, 6, 8]);
/// ```
impl<T> FromIterator<T> for Gc<[T]> {
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        values.into_iter().collect::<Vec<T>>().into()
    }
}

impl<T: Default> Default for Gc<T> {
    #[track_caller]
    fn default() -> Self {
        Gc::new(T::default())
    }
}

impl<T> Default for Gc<[T]> {
    #[track_caller]
    fn default() -> Self {
        slice_at(room::<T>(0, Kind::VALUE), 0)
    }
}

impl Default for Gc<str> {
    #[track_caller]
    fn default() -> Self {
        "".into()
    }
}

impl Default for Gc<CStr> {
    #[track_caller]
    fn default() -> Self {
        c"".into()
    }
}
