//! Shapes that the C side and the Rust side share.

use core::ffi::c_void;

/// `errno` of the C library.
pub mod errno {
    unsafe extern "C" {
        fn __errno_location() -> *mut i32;
    }

    /// Its value.
    pub fn get() -> i32 {
        // SAFETY: glibc gives the address of this thread's own.
        unsafe { *__errno_location() }
    }

    /// Sets it.
    pub fn set(value: i32) {
        // SAFETY: glibc gives the address of this thread's own.
        unsafe { *__errno_location() = value }
    }

    /// Invalid argument.
    pub const EINVAL: i32 = 22;
    /// No memory.
    pub const ENOMEM: i32 = 12;
    /// Bad address.
    pub const EFAULT: i32 = 14;
    /// No such call, or not in this library.
    pub const ENOSYS: i32 = 38;
    /// Too late.
    pub const EBUSY: i32 = 16;
    /// No room for another.
    pub const ENOSPC: i32 = 28;
}

/// A null pointer with `errno` set.
pub fn refuse<T>(error: i32) -> *mut T {
    errno::set(error);
    core::ptr::null_mut()
}

/// `gc_weak`: the cell behind it is the engine's.
pub type Weak = gleaner::collect::weak::Cell;
/// `gc_ephemeron`: an object of that kind.
#[repr(C)]
pub struct Ephemeron {
    private: [*mut c_void; 4],
}
/// `gc_pair`: a place in an array of ephemerons.
#[repr(C)]
pub struct Pair {
    key: *mut c_void,
    value: *mut c_void,
    reserved: *mut c_void,
}

const _: () = assert!(size_of::<Pair>() == gleaner::collect::ephemeron::Pair::BYTES);

/// `gc_cache`: a thread's magazine.
pub type Cache = gleaner::heap::magazine::Magazine;
/// `gc_tracer`.
pub type Tracer = gleaner::collect::trace::Tracer<'static>;
