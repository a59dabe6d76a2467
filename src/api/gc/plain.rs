//! Plain values: types that hold no pointer, which the collector need not search.

use core::{
    cell::{Cell, OnceCell, RefCell, UnsafeCell},
    cmp::{self, Reverse},
    convert::Infallible,
    ffi::CStr,
    marker::{PhantomData, PhantomPinned},
    mem::ManuallyDrop,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6},
    num::{FpCategory, NonZero, Saturating, Wrapping},
    ops::{Bound, ControlFlow, Range, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive},
    sync::{
        self,
        atomic::{
            AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicU8, AtomicU16, AtomicU32,
            AtomicU64, AtomicUsize,
        },
    },
    task::Poll,
    time::Duration,
};

/// Types whose values hold no pointer to anything on the heap, so that they need not be searched: numbers and what is made of
/// them.
///
/// ```
/// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
/// use gleaner::{Gc, PointerFree};
/// use std::{num::NonZero, time::Duration};
///
/// #[derive(Clone, Copy)]
/// struct Point { x: f64, y: f64 }
/// // SAFETY: two numbers.
/// unsafe impl PointerFree for Point {}
///
/// let outline: Gc<[Point]> = Gc::slice_pointer_free(&[Point { x: 0.0, y: 1.0 }; 100]);
/// assert_eq!(outline[99].x + outline[99].y, 1.0);
/// let lap = Gc::new_pointer_free((NonZero::new(3u32), Duration::from_millis(70), "four".len()));
/// assert_eq!((lap.0.unwrap().get(), lap.1.as_millis(), lap.2), (3, 70, 4));
/// ```
///
/// # Safety
/// No value of the type ever holds the address of something that the collector may take back: no reference, `Box`, `Vec`,
/// `Gc` or the like. An address that somebody keeps as a number keeps nothing here; only unsafe code makes a pointer of it
/// again, and answers for that.
#[diagnostic::on_unimplemented(
    message = "values of `{Self}` may hold pointers",
    note = "make it with `Gc::new`; or `unsafe impl PointerFree for {Self} {{}}` if no value of it ever does"
)]
pub unsafe trait PointerFree {}

macro_rules! plain {
    ($($type:ty),* $(,)?) => {
        // SAFETY: numbers, and what is made of numbers.
        $(unsafe impl PointerFree for $type {})*
    };
}

plain! {
    u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64, bool, char, str, (),
    AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicBool,
    NonZero<u8>, NonZero<u16>, NonZero<u32>, NonZero<u64>, NonZero<u128>, NonZero<usize>,
    NonZero<i8>, NonZero<i16>, NonZero<i32>, NonZero<i64>, NonZero<i128>, NonZero<isize>,
    Duration, cmp::Ordering, sync::atomic::Ordering, FpCategory,
    IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6,
    CStr, Infallible, PhantomPinned, RangeFull,
}

macro_rules! as_what_it_holds {
    ($($type:ident)*) => {
        // SAFETY: it holds what its parameter does, and numbers.
        $(unsafe impl<T: PointerFree> PointerFree for $type<T> {})*
    };
}

as_what_it_holds! { Option Poll Wrapping Saturating Reverse Bound Range RangeFrom RangeTo RangeInclusive RangeToInclusive OnceCell }

macro_rules! as_what_it_holds_unsized {
    ($($type:ident)*) => {
        // SAFETY: it holds what its parameter does, and numbers.
        $(unsafe impl<T: ?Sized + PointerFree> PointerFree for $type<T> {})*
    };
}

as_what_it_holds_unsized! { Cell RefCell UnsafeCell ManuallyDrop }

// SAFETY: nothing at all.
unsafe impl<T: ?Sized> PointerFree for PhantomData<T> {}
// SAFETY: as its elements.
unsafe impl<T: PointerFree> PointerFree for [T] {}
// SAFETY: as its elements.
unsafe impl<T: PointerFree, const N: usize> PointerFree for [T; N] {}
// SAFETY: one or the other.
unsafe impl<T: PointerFree, E: PointerFree> PointerFree for Result<T, E> {}
// SAFETY: one or the other.
unsafe impl<B: PointerFree, C: PointerFree> PointerFree for ControlFlow<B, C> {}

macro_rules! tuples {
    ($($first:ident $($rest:ident)*)?) => {$(
        // SAFETY: as its parts.
        unsafe impl<$first: PointerFree, $($rest: PointerFree),*> PointerFree for ($first, $($rest,)*) {}
        tuples! { $($rest)* }
    )?};
}

tuples! { A B C D E F G H I J K L }
