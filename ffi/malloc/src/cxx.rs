//! operator new and delete, all twenty (Itanium C++ ABI names).
//!
//! A failing `new` asks the new handler until that gives up by throwing, and throws `std::bad_alloc` without one; the
//! calls are made by the edge. A failing nothrow `new` asks it too, and returns null when that throws.

use crate::family::free;
use core::ffi::c_void;
use gleaner::{heap::fast, os::dl};

unsafe extern "C" {
    fn gleaner_edge_new(bytes: usize, align: usize) -> *mut c_void;
    fn gleaner_edge_new_nothrow(bytes: usize, align: usize, tag: *const c_void) -> *mut c_void;
    fn gleaner_edge_new_aligned_nothrow(bytes: usize, align: usize, tag: *const c_void) -> *mut c_void;
}

#[inline(always)]
fn new(size: usize) -> *mut c_void {
    let slot = fast::pop_for_malloc(size);
    if !slot.is_null() {
        return slot.cast();
    }
    // SAFETY: any size may be asked for.
    unsafe { gleaner_edge_new(size, 1) }
}

#[inline(always)]
fn new_nothrow(size: usize, tag: *const c_void) -> *mut c_void {
    let slot = fast::pop_for_malloc(size);
    if !slot.is_null() {
        return slot.cast();
    }
    // SAFETY: any size may be asked for.
    unsafe { gleaner_edge_new_nothrow(size, 1, tag) }
}

macro_rules! operators {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? $body:block)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// As the C++ operator.
        #[allow(non_snake_case)]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($argument: $type),*) $(-> $result)? $body
    )*};
}

operators! {
    /// `operator new(size_t)`
    _Znwm(size: usize) -> *mut c_void { new(size) }
    /// `operator new[](size_t)`
    _Znam(size: usize) -> *mut c_void { new(size) }
    /// `operator new(size_t, nothrow_t const&)`
    _ZnwmRKSt9nothrow_t(size: usize, tag: *const c_void) -> *mut c_void { new_nothrow(size, tag) }
    /// `operator new[](size_t, nothrow_t const&)`
    _ZnamRKSt9nothrow_t(size: usize, tag: *const c_void) -> *mut c_void { new_nothrow(size, tag) }
    // SAFETY: any size and power of two may be asked for.
    /// `operator new(size_t, align_val_t)`
    _ZnwmSt11align_val_t(size: usize, align: usize) -> *mut c_void { unsafe { gleaner_edge_new(size, align) } }
    // SAFETY: any size and power of two may be asked for.
    /// `operator new[](size_t, align_val_t)`
    _ZnamSt11align_val_t(size: usize, align: usize) -> *mut c_void { unsafe { gleaner_edge_new(size, align) } }
    /// `operator new(size_t, align_val_t, nothrow_t const&)`
    _ZnwmSt11align_val_tRKSt9nothrow_t(size: usize, align: usize, tag: *const c_void) -> *mut c_void {
        // SAFETY: any size and power of two may be asked for.
        unsafe { gleaner_edge_new_aligned_nothrow(size, align, tag) }
    }
    /// `operator new[](size_t, align_val_t, nothrow_t const&)`
    _ZnamSt11align_val_tRKSt9nothrow_t(size: usize, align: usize, tag: *const c_void) -> *mut c_void {
        // SAFETY: any size and power of two may be asked for.
        unsafe { gleaner_edge_new_aligned_nothrow(size, align, tag) }
    }
}

macro_rules! deletes {
    ($($name:ident($($argument:ident: $type:ty),*))*) => {$(
        /// `operator delete`, one of its forms.
        ///
        /// # Safety
        /// As the C++ operator.
        #[allow(non_snake_case)]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(p: *mut c_void, $($argument: $type),*) {
            // SAFETY: by the caller's promise.
            unsafe { free(p) };
        }
    )*};
}

deletes! {
    _ZdlPv()
    _ZdaPv()
    _ZdlPvm(_size: usize)
    _ZdaPvm(_size: usize)
    _ZdlPvSt11align_val_t(_align: usize)
    _ZdaPvSt11align_val_t(_align: usize)
    _ZdlPvmSt11align_val_t(_size: usize, _align: usize)
    _ZdaPvmSt11align_val_t(_size: usize, _align: usize)
    _ZdlPvRKSt9nothrow_t(_tag: *const c_void)
    _ZdaPvRKSt9nothrow_t(_tag: *const c_void)
    _ZdlPvSt11align_val_tRKSt9nothrow_t(_align: usize, _tag: *const c_void)
    _ZdaPvSt11align_val_tRKSt9nothrow_t(_align: usize, _tag: *const c_void)
}

/// The program's new handler, or null. For the edge.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_new_handler() -> *mut c_void {
    let get = dl::any(c"_ZSt15get_new_handlerv");
    if get.is_null() {
        return get;
    }
    // SAFETY: `std::get_new_handler` takes nothing and gives a function pointer.
    unsafe { core::mem::transmute::<*mut c_void, extern "C" fn() -> *mut c_void>(get)() }
}

/// The function of the C++ library that throws `std::bad_alloc`. For the edge.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_throw_bad_alloc() -> *mut c_void {
    let throw = dl::any(c"_ZSt17__throw_bad_allocv");
    if throw.is_null() {
        gleaner::fatal!(
            "operator new: out of memory, and no C++ library to throw std::bad_alloc with; raise the limit or link \
             libstdc++"
        );
    }
    throw
}

/// The C++ library's `operator new(size_t, nothrow_t const&)`, which calls `operator new(size_t)` and catches; or null.
/// For the edge.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_next_nothrow_new() -> *mut c_void {
    dl::next(c"_ZnwmRKSt9nothrow_t")
}

/// The same for `operator new(size_t, align_val_t, nothrow_t const&)`.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_next_aligned_nothrow_new() -> *mut c_void {
    dl::next(c"_ZnwmSt11align_val_tRKSt9nothrow_t")
}
