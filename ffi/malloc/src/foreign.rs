//! Memory from another allocator. Most is glibc's: from before this library was there, or past it (`RTLD_DEEPBIND`, another
//! namespace, a library that calls glibc's internal names). A program that is linked with another one may have called that
//! by its own names. It goes where it would go without us.
//!
//! glibc checks what it is given, but by reading around it: an address that cannot be an object of its faults. Those that
//! it certainly did not hand out are told apart here; of the rest it knows more than we do.

use core::ffi::c_void;
use gleaner::{
    base::{
        addr::Addr,
        sync::{AtomicPtr, Ordering},
    },
    heap::{cage, emergency, mutator, size_class::GRANULE},
    os::{dl, sys},
};

/// Whether another allocator may have handed `address` out: aligned, not in our heap nor on this thread's stack, and with
/// room before it for what glibc keeps there, if it is that.
#[cold]
pub fn may_be_anothers(address: Addr) -> bool {
    const GLIBCS_HEADER_BYTES: usize = 2 * size_of::<usize>();
    let (header_bytes, alignment) =
        if is_anothers() { (0, align_of::<usize>()) } else { (GLIBCS_HEADER_BYTES, GRANULE) };
    let is_on_stack = || mutator::current().is_some_and(|mutator| mutator.stack().contains(address));
    let is_readable = || sys::can_read(address.get() - header_bytes, header_bytes + 1);
    address.get().is_multiple_of(alignment)
        && address.get() > GLIBCS_HEADER_BYTES
        && !cage::contains(address)
        && !emergency::range().contains(address)
        && !is_on_stack()
        && is_readable()
}

/// Functions of another allocator, which would be asked if we were not there. Relaxed throughout: the addresses of code,
/// found while one thread runs; null where the C library's are next.
static FREE: AtomicPtr<c_void> = AtomicPtr::new(core::ptr::null_mut());
static REALLOC: AtomicPtr<c_void> = AtomicPtr::new(core::ptr::null_mut());
static USABLE_SIZE: AtomicPtr<c_void> = AtomicPtr::new(core::ptr::null_mut());

/// Looks them up while one thread runs. Another copy of this library would ask us again, so it is passed over.
pub fn find_originals() {
    USABLE_SIZE.store(dl::next(c"malloc_usable_size"), Ordering::Relaxed);
    let free = dl::next(c"free");
    if !free.is_null() && !dl::is_c_librarys(free) && dl::next(c"gleaner_engine_1").is_null() {
        REALLOC.store(dl::next(c"realloc"), Ordering::Relaxed);
        FREE.store(free, Ordering::Relaxed);
    }
}

/// Whether what is not ours is another allocator's, and not glibc's.
fn is_anothers() -> bool {
    !FREE.load(Ordering::Relaxed).is_null()
}

unsafe extern "C" {
    fn __libc_free(p: *mut c_void);
    fn __libc_realloc(p: *mut c_void, bytes: usize) -> *mut c_void;
}

/// `free` of memory that is not ours.
///
/// # Safety
/// As that.
pub unsafe fn free(p: *mut c_void) {
    let function = FREE.load(Ordering::Relaxed);
    // SAFETY: by the caller's promise; a function of that name has this type.
    unsafe {
        match function.is_null() {
            true => __libc_free(p),
            false => core::mem::transmute::<*mut c_void, unsafe extern "C" fn(*mut c_void)>(function)(p),
        }
    }
}

/// `realloc` of memory that is not ours.
///
/// # Safety
/// As that.
pub unsafe fn realloc(p: *mut c_void, bytes: usize) -> *mut c_void {
    type Realloc = unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void;
    let function = REALLOC.load(Ordering::Relaxed);
    // SAFETY: by the caller's promise; a function of that name has this type.
    unsafe {
        match function.is_null() {
            true => __libc_realloc(p, bytes),
            false => core::mem::transmute::<*mut c_void, Realloc>(function)(p, bytes),
        }
    }
}

/// `malloc_usable_size` of memory that is not ours.
pub fn usable_bytes(p: *mut c_void) -> usize {
    let function = USABLE_SIZE.load(Ordering::Relaxed);
    if function.is_null() {
        return 0;
    }
    // SAFETY: a function of that name has this type; what is not ours is an object of its own.
    unsafe { core::mem::transmute::<*mut c_void, extern "C" fn(*mut c_void) -> usize>(function)(p) }
}
