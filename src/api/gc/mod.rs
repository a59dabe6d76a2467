//! `Gc<T>`: a pointer that may be copied, to a value that lives as long as anything points to it.

mod from;
mod part;
pub(super) mod place;
mod plain;

pub use plain::PointerFree;

use crate::{api::boundary, api::root::Root, api::weak::Weak, heap::kind::Kind};
use core::{alloc::Layout, ops::Deref, panic::RefUnwindSafe, panic::UnwindSafe, ptr::NonNull};

/// A pointer to a value that the collector owns.
///
/// It is [`Copy`], compares and prints as its value does, and may be kept wherever the program keeps pointers: on the
/// stack, in other values, in a `Vec`, a `Box`, a `static`, a thread-local, a future. The value lives as long as the
/// collector finds its address, or one inside it, in any of these places; cycles are no exception. Then its memory comes
/// back, and the memory of the `Box`es, `Vec`s and `String`s that only it owned.
///
/// **The value's destructor does not run.** Memory needs none, and a reference that was borrowed through one handle
/// may outlive everything that the collector can see of it (the [chapter on soundness](crate::soundness) shows how). A
/// value that has to do something at its end, such as closing a file, is made by [`Gc::with_drop`].
///
/// The program's global allocator has to be [`Gleaner`](crate::Gleaner): the first `Gc` looks, and panics where it is
/// not. Nothing is collected before [`start`](crate::start).
///
/// A `Gc` gives shared references only. What is to change lies in a `Cell`, a `RefCell`, a `Mutex` or an atomic; no
/// barrier is needed.
///
/// Comparing or printing a value that leads back to itself does not end, unless the value's own implementation sees to that;
/// [`ptr_eq`](Self::ptr_eq) asks for identity, and `{:p}` prints the address.
///
/// ```
/// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
/// use gleaner::Gc;
/// use std::cell::Cell;
///
/// struct Node {
///     name: String,
///     next: Cell<Option<Gc<Node>>>,
/// }
///
/// // SAFETY: this program hides no pointers.
/// unsafe { gleaner::start()? };
/// let last = Gc::new(Node { name: "last".into(), next: Cell::new(None) });
/// let first = Gc::new(Node { name: "first".into(), next: Cell::new(Some(last)) });
/// last.next.set(Some(first)); // a cycle, which is no leak
/// assert_eq!(first.next.get().unwrap().name, "last");
/// # Ok::<(), gleaner::StartError>(())
/// ```
///
/// It is as thin as a reference, an `Option` of it is no larger, and no packed structure can be declared with it, where the
/// collector would not see it. (One that is declared with any type, `#[repr(packed)] struct Packed<T>(u8, T)`, the compiler
/// lets pass: nothing in the language tells a generic function where the fields of its type lie. [`start`](crate::start)
/// leaves such to its caller.)
///
/// ```compile_fail,E0588
/// #[repr(packed)]
/// struct Packed(u8, gleaner::Gc<u32>);
/// ```
///
/// # Beside `Rc` and `Arc`
///
/// What they have is here under the same names, but for:
///
/// - *whatever needs to know that a handle is the only one* (`get_mut`, `make_mut`, `try_unwrap`, `into_inner`,
///   `unwrap_or_clone`, `new_uninit` and its kin, which are written through `get_mut`): handles are copied without a trace,
///   and only a collection could tell. What is to change lies in a cell; what is written piece by piece is made as a `Box`
///   or a `Vec`, and moved here by `From`.
/// - *counts* (`strong_count`, `weak_count`, `increment_strong_count` …): there are none. [`collect()`](crate::collect()) and a
///   [`Weak`] handle tell whether a value is still kept.
/// - *`into_raw` and `from_raw`*, which hand a count over: [`as_ptr`](Self::as_ptr) and [`from_ptr`](Self::from_ptr) hand
///   over none.
/// - *`pin`*: the promise of `Pin` includes that the destructor runs first (see the [chapter on soundness](crate::soundness)).
/// - *coercion to `dyn Trait` and slices, and `self: Gc<Self>`*: the language keeps them to its own pointers so far.
///   [`map`](Self::map) does the first, a function that takes `this: Gc<Self>` the second.
/// - *`From<&Path>`, `From<&OsStr>`, `AsFd`, `io::Read` …*, whose types are not in `core` or `alloc`: `From<Box<Path>>` is here,
///   and the rest go through `*handle`.
///
/// `Rc::try_new` is [`try_new`](Self::try_new) here, which gives the value back, and methods that take `&Rc` take a copy.
// Aligned: so it cannot be in a packed structure (E0588), where an address may lie across two words.
#[repr(C, align(8))]
pub struct Gc<T: ?Sized> {
    value: NonNull<T>,
}

const _: () = assert!(size_of::<Option<Gc<u8>>>() == size_of::<usize>());

// SAFETY: a `Gc` is as good as a `&T`: it gives shared references, and never drops the value.
unsafe impl<T: ?Sized + Sync> Send for Gc<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Sync> Sync for Gc<T> {}
impl<T: ?Sized + RefUnwindSafe> UnwindSafe for Gc<T> {}

impl<T: ?Sized> Clone for Gc<T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Gc<T> {}

impl<T: ?Sized> Deref for Gc<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: the value was written when the handle was made, is never dropped, and stays while its address is found:
        // the reference is one.
        unsafe { self.value.as_ref() }
    }
}

impl<T> Gc<T> {
    /// Puts a value on the heap.
    ///
    /// # Panics
    /// When the program's global allocator is not [`Gleaner`](crate::Gleaner). Without memory, even after collecting, the
    /// program ends by `handle_alloc_error`, as with `Box::new`; [`try_new`](Self::try_new) says so instead.
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// let five = gleaner::Gc::new(5);
    /// let also_five = five;
    /// assert_eq!(*five + *also_five, 10);
    /// ```
    #[inline(always)]
    #[track_caller]
    pub fn new(value: T) -> Gc<T> {
        let place = place::take(Layout::new::<T>(), Kind::VALUE).cast::<T>();
        // SAFETY: taken for a value of this type.
        unsafe { Gc::written(place, value) }
    }

    /// As [`new`](Self::new), but hands the value back when there is no memory for it.
    ///
    /// # Panics
    /// As `new`, but for want of memory.
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// gleaner::set_limit(64 << 10);
    /// let refused = gleaner::Gc::try_new([0u8; 128 << 10]);
    /// assert!(refused.is_err());
    /// ```
    #[inline]
    #[track_caller]
    pub fn try_new(value: T) -> Result<Gc<T>, T> {
        match place::try_take(Layout::new::<T>(), Kind::VALUE) {
            // SAFETY: taken for a value of this type.
            Some(place) => Ok(unsafe { Gc::written(place.cast(), value) }),
            None => Err(value),
        }
    }

    /// Puts a value without pointers on the heap: the collector never looks into it.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// let pixels = gleaner::Gc::new_pointer_free([[0u8; 4]; 1024]);
    /// assert_eq!(pixels[1023], [0; 4]);
    /// ```
    #[inline]
    #[track_caller]
    pub fn new_pointer_free(value: T) -> Gc<T>
    where
        T: PointerFree,
    {
        let place = place::take(Layout::new::<T>(), Kind::POINTER_FREE).cast::<T>();
        // SAFETY: taken for a value of this type.
        unsafe { Gc::written(place, value) }
    }

    /// A value that knows itself: `make` gets a weak handle to what it is making. Until it is made the weak handle says
    /// `None`, here and on other threads.
    ///
    /// A plain handle to itself, which a weak one is not needed for where cycles come back, is set afterwards, as into a
    /// `OnceCell`.
    ///
    /// # Panics
    /// As [`new`](Self::new). If `make` panics, its weak handle never says anything but `None`.
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// use gleaner::{Gc, Weak};
    ///
    /// struct Gadget { itself: Weak<Gadget>, name: &'static str }
    ///
    /// let gadget = Gc::new_cyclic(|itself| {
    ///     assert!(itself.upgrade().is_none());
    ///     Gadget { itself: *itself, name: "a gadget" }
    /// });
    /// assert_eq!(gadget.itself.upgrade().unwrap().name, "a gadget");
    /// ```
    #[track_caller]
    pub fn new_cyclic(make: impl FnOnce(&Weak<T>) -> T) -> Gc<T> {
        let place = place::take(Layout::new::<T>(), Kind::VALUE).cast::<T>();
        let weak = Weak::to_come(place);
        // SAFETY: taken for a value of this type.
        let this = unsafe { Gc::written(place, make(&weak)) };
        weak.come(this);
        this
    }

    /// # Safety
    /// `place` was taken for a `T`.
    #[inline(always)]
    unsafe fn written(place: NonNull<T>, value: T) -> Gc<T> {
        // SAFETY: by the caller's promise it is large and aligned enough, and nobody else's.
        unsafe { place.write(value) };
        Gc { value: place }
    }
}

impl<T: ?Sized> Gc<T> {
    /// The value's address.
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// use gleaner::Gc;
    /// let value = Gc::new(7);
    /// assert_eq!(unsafe { *Gc::as_ptr(value) }, 7);
    /// ```
    #[inline(always)]
    pub fn as_ptr(this: Gc<T>) -> *const T {
        this.value.as_ptr()
    }

    /// A handle from an address that [`as_ptr`](Self::as_ptr) gave: for the way back from C.
    ///
    /// # Safety
    /// `pointer` comes from `as_ptr` of a handle to a value of this type, and the collector has found the address ever since:
    /// it was kept as an aligned word in memory that is searched, or a [`Root`] kept the value.
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// use gleaner::Gc;
    /// let word = Gc::as_ptr(Gc::new(7)).cast::<std::ffi::c_void>();
    /// // SAFETY: `word` has been on the stack.
    /// let back: Gc<i32> = unsafe { Gc::from_ptr(word.cast()) };
    /// assert_eq!(*back, 7);
    /// ```
    #[inline(always)]
    pub unsafe fn from_ptr(pointer: *const T) -> Gc<T> {
        // SAFETY: by the caller's promise it is not null.
        Gc { value: unsafe { NonNull::new_unchecked(pointer.cast_mut()) } }
    }

    /// A reference that lives as long as one likes: the value does, while the reference is there.
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// use gleaner::Gc;
    /// fn name() -> &'static String {
    ///     Gc::get(Gc::new(String::from("kept by the reference")))
    /// }
    /// assert_eq!(name(), "kept by the reference");
    /// ```
    #[inline(always)]
    pub fn get<'a>(this: Gc<T>) -> &'a T
    where
        T: 'a,
    {
        // SAFETY: as for `deref`; no lifetime makes a difference.
        unsafe { this.value.as_ref() }
    }

    /// Whether both point to the same value.
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// use gleaner::Gc;
    /// let (one, other) = (Gc::new(1), Gc::new(1));
    /// assert!(one == other && !Gc::ptr_eq(one, other));
    /// ```
    #[inline(always)]
    pub fn ptr_eq(this: Gc<T>, other: Gc<T>) -> bool {
        core::ptr::addr_eq(this.value.as_ptr(), other.value.as_ptr())
    }

    /// A handle that does not keep the value.
    ///
    /// # Panics
    /// Without memory for the cell behind it the program ends by `handle_alloc_error`.
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// use gleaner::Gc;
    /// let value = Gc::new(1);
    /// let weak = Gc::downgrade(value);
    /// assert_eq!(weak.upgrade().as_deref(), Some(&1));
    /// ```
    pub fn downgrade(this: Gc<T>) -> Weak<T> {
        Weak::of(this)
    }

    /// A handle that keeps the value wherever it lies itself, in memory that is not searched too.
    ///
    /// # Panics
    /// Without memory for the root the program ends by `handle_alloc_error`.
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// use gleaner::Gc;
    /// let root = Gc::root(Gc::new(3));
    /// assert_eq!(*root, 3);
    /// ```
    pub fn root(this: Gc<T>) -> Root<T> {
        Root::of(this.value)
    }

    #[inline(always)]
    pub(super) fn as_non_null(this: Gc<T>) -> NonNull<T> {
        this.value
    }

    /// The handle to what a root keeps.
    #[track_caller]
    pub(super) fn of_root(value: NonNull<T>) -> Gc<T> {
        boundary::check();
        Gc { value }
    }

    /// The handle to what a weak handle has found.
    pub(super) fn of_found(value: NonNull<T>) -> Gc<T> {
        Gc { value }
    }
}
