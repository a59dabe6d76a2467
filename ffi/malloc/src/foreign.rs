//! Memory from glibc's own allocator: from before this library was there, or past it (`RTLD_DEEPBIND`, another namespace,
//! a library that calls glibc's internal names). It goes back where it came from.
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

/// Whether glibc may have handed `address` out: aligned, not in our heap nor on this thread's stack, and with room before
/// it for what glibc keeps there.
#[cold]
pub fn may_be_glibcs(address: Addr) -> bool {
    const HEADER_BYTES: usize = 2 * size_of::<usize>();
    let is_on_stack = || mutator::current().is_some_and(|mutator| mutator.stack().contains(address));
    let is_readable = || {
        let mut header = [0; HEADER_BYTES + 1];
        sys::read_own_memory(address.get() - HEADER_BYTES, &mut header) == header.len()
    };
    address.get().is_multiple_of(GRANULE)
        && address.get() > HEADER_BYTES
        && !cage::contains(address)
        && !emergency::range().contains(address)
        && !is_on_stack()
        && is_readable()
}

/// Relaxed throughout: the address of code, the same whoever finds it.
static USABLE_SIZE: AtomicPtr<c_void> = AtomicPtr::new(core::ptr::null_mut());

/// Looks glibc's function up while one thread runs.
pub fn find_originals() {
    USABLE_SIZE.store(dl::next(c"malloc_usable_size"), Ordering::Relaxed);
}

/// glibc's `malloc_usable_size` of memory of its own.
pub fn usable_bytes(p: *mut c_void) -> usize {
    let function = USABLE_SIZE.load(Ordering::Relaxed);
    if function.is_null() {
        return 0;
    }
    // SAFETY: the C library's function of that name has this type; what is not ours is an object of its own.
    unsafe { core::mem::transmute::<*mut c_void, extern "C" fn(*mut c_void) -> usize>(function)(p) }
}
