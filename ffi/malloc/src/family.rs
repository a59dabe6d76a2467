//! malloc, free and their kin.
//!
//! An object takes at least one byte more than was asked for: programs keep addresses one past the end anywhere, and
//! such an address then still lies inside.

use crate::{
    elsewhere::{
        elsewhere, gleaner_slow_calloc, gleaner_slow_malloc, gleaner_slow_malloc_free, gleaner_slow_malloc_resize,
    },
    foreign,
};
use core::ffi::{c_int, c_void};
use gleaner::{
    base::addr::Addr,
    collect::allocate::{self, Freed},
    heap::{OBJECT_BYTES_MAX, emergency, fast, resolve, size_class::GRANULE},
    os::dl,
};
use gleaner_abi::{exports::errno, misuse};

unsafe extern "C" {
    fn gleaner_edge_malloc_resize(p: *mut c_void, bytes: usize) -> *mut c_void;
}

/// For the edge: whether functions of the program's may be called when `site` has called us.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".text.hot")]
extern "C" fn gleaner_may_call_out(site: *const c_void) -> c_int {
    c_int::from(!dl::is_c_librarys_or_loaders(site))
}

/// C23 7.24.3.6.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".text.hot")]
pub extern "C" fn malloc(size: usize) -> *mut c_void {
    let slot = fast::pop_for_malloc(size);
    if !slot.is_null() {
        return slot.cast();
    }
    // SAFETY: any size may be asked for.
    unsafe { gleaner_slow_malloc(size, 1) }
}

/// C23 7.24.3.3.
///
/// # Safety
/// `p` is null, or an object that the caller gives up.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".text.hot")]
pub unsafe extern "C" fn free(p: *mut c_void) {
    // SAFETY: by the caller's promise.
    if !unsafe { fast::push_of_malloc(Addr::of(p)) } {
        // SAFETY: by the caller's promise.
        unsafe { gleaner_free_of_any_kind(p) };
    }
}

/// Apart from `free`, which then needs no frame.
///
/// # Safety
/// As for [`free`].
#[unsafe(no_mangle)]
#[inline(never)]
#[unsafe(link_section = ".text.hot")]
pub unsafe extern "C" fn gleaner_free_of_any_kind(p: *mut c_void) {
    // SAFETY: by the caller's promise.
    if !unsafe { fast::push(Addr::of(p)) } {
        // SAFETY: by the caller's promise.
        unsafe { gleaner_slow_malloc_free(p) };
    }
}

/// Reached by a jump, so the word on the stack is where the call of `free` returns to: reports name it.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn free_slowly(p: *mut c_void) {
    core::arch::naked_asm!("mov rsi, [rsp]", "jmp {free}", free = sym free_at)
}

unsafe extern "C" fn free_at(p: *mut c_void, site: usize) {
    if p.is_null() {
        return;
    }
    let error = errno::get();
    match allocate::free(Addr::of(p), site) {
        // SAFETY: from before we were there or past us, as far as can be told.
        Freed::Foreign if foreign::may_be_anothers(Addr::of(p)) => unsafe { foreign::free(p) },
        freed => misuse::report("free", Addr::of(p), site, freed),
    }
    errno::set(error);
}

/// C23 7.24.3.2.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".text.hot")]
pub extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    let Some(bytes) = count.checked_mul(size) else {
        errno::set(errno::ENOMEM);
        return core::ptr::null_mut();
    };
    allocate_zeroed(bytes)
}

/// [`calloc`] after the multiplication.
#[inline(always)]
pub(crate) extern "C" fn allocate_zeroed(bytes: usize) -> *mut c_void {
    let slot = fast::pop_for_malloc(bytes);
    if !slot.is_null() {
        // SAFETY: the slot is the caller's, and at least this large. A plain call of memset: this is no calloc.
        unsafe { core::ptr::write_bytes(slot, 0, bytes) };
        return slot.cast();
    }
    // SAFETY: any size may be asked for.
    unsafe { gleaner_slow_calloc(bytes) }
}

/// C23 7.24.3.7; size 0 frees, as in glibc.
///
/// # Safety
/// `p` is null, or an object that the caller lets move.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".text.hot")]
pub unsafe extern "C" fn realloc(p: *mut c_void, size: usize) -> *mut c_void {
    if p.is_null() {
        return malloc(size);
    }
    if size == 0 {
        // SAFETY: by the caller's promise.
        unsafe { free(p) };
        return core::ptr::null_mut();
    }
    // SAFETY: by the caller's promise.
    unsafe { gleaner_slow_malloc_resize(p, size) }
}

/// [`realloc`] of an object, where the engine is here.
///
/// # Safety
/// As for [`realloc`]; `p` is not null, and `size` is not zero.
pub(crate) unsafe extern "C" fn resize(p: *mut c_void, size: usize) -> *mut c_void {
    if resolve::locate(Addr::of(p)).is_none() && foreign::may_be_anothers(Addr::of(p)) {
        // SAFETY: as for free.
        return unsafe { foreign::realloc(p, size) };
    }
    // SAFETY: by the caller's promise.
    unsafe { gleaner_edge_malloc_resize(p, size) }
}

/// glibc, BSD: realloc(p, count * size).
///
/// # Safety
/// As for [`realloc`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn reallocarray(p: *mut c_void, count: usize, size: usize) -> *mut c_void {
    match count.checked_mul(size) {
        // SAFETY: by the caller's promise.
        Some(bytes) => unsafe { realloc(p, bytes) },
        None => {
            errno::set(errno::ENOMEM);
            core::ptr::null_mut()
        }
    }
}

/// NetBSD: changes the size of the array at `*p`; 0 or an errno value.
///
/// # Safety
/// `p` points to a pointer as for [`realloc`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn reallocarr(p: *mut *mut c_void, count: usize, size: usize) -> c_int {
    let error = errno::get();
    // SAFETY: by the caller's promise.
    unsafe {
        let moved = reallocarray(*p, count, size);
        if moved.is_null() && count != 0 && size != 0 {
            errno::set(error);
            return errno::ENOMEM;
        }
        *p = moved;
    }
    0
}

fn aligned(align: usize, size: usize) -> *mut c_void {
    // As every slot is; servers ask so for their pools.
    if align <= GRANULE {
        return malloc(size);
    }
    if size > OBJECT_BYTES_MAX || align > OBJECT_BYTES_MAX / 2 {
        errno::set(errno::ENOMEM);
        return core::ptr::null_mut();
    }
    // SAFETY: any size and power of two may be asked for.
    unsafe { gleaner_slow_malloc(size, align) }
}

/// Any alignment, for another copy of the library: see [`Family`](gleaner_abi::engine::Family).
pub(crate) extern "C" fn allocate(bytes: usize, align: usize) -> *mut c_void {
    aligned(align, bytes)
}

/// C23 7.24.3.1; EINVAL for an alignment that is no power of two, as in glibc 2.38.
#[unsafe(no_mangle)]
pub extern "C" fn aligned_alloc(align: usize, size: usize) -> *mut c_void {
    if !align.is_power_of_two() {
        errno::set(errno::EINVAL);
        return core::ptr::null_mut();
    }
    aligned(align, size)
}

/// glibc: an alignment that is no power of two is rounded up to one.
#[unsafe(no_mangle)]
pub extern "C" fn memalign(align: usize, size: usize) -> *mut c_void {
    match align.checked_next_power_of_two() {
        Some(align) => aligned(align, size),
        None => {
            errno::set(errno::EINVAL);
            core::ptr::null_mut()
        }
    }
}

/// POSIX.1-2024: 0, EINVAL or ENOMEM; `errno` is left alone.
///
/// # Safety
/// `result` can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn posix_memalign(result: *mut *mut c_void, align: usize, size: usize) -> c_int {
    if !align.is_power_of_two() || align < size_of::<*mut c_void>() {
        return errno::EINVAL;
    }
    let error = errno::get();
    let p = aligned(align, size);
    errno::set(error);
    if p.is_null() {
        return errno::ENOMEM;
    }
    // SAFETY: by the caller's promise.
    unsafe { *result = p };
    0
}

const PAGE: usize = gleaner::os::mem::PAGE;

/// glibc: aligned to a page.
#[unsafe(no_mangle)]
pub extern "C" fn valloc(size: usize) -> *mut c_void {
    aligned(PAGE, size)
}

/// glibc: whole pages.
#[unsafe(no_mangle)]
pub extern "C" fn pvalloc(size: usize) -> *mut c_void {
    match size.checked_next_multiple_of(PAGE) {
        Some(bytes) => aligned(PAGE, bytes),
        None => {
            errno::set(errno::ENOMEM);
            core::ptr::null_mut()
        }
    }
}

/// Old glibc: the same as [`free`].
///
/// # Safety
/// As for `free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cfree(p: *mut c_void) {
    // SAFETY: by the caller's promise.
    unsafe { free(p) };
}

/// C23 7.24.3.4: `size` is what was asked for.
///
/// # Safety
/// As for [`free`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free_sized(p: *mut c_void, _size: usize) {
    // SAFETY: by the caller's promise.
    unsafe { free(p) };
}

/// C23 7.24.3.5: `align` and `size` are what was asked for.
///
/// # Safety
/// As for [`free`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free_aligned_sized(p: *mut c_void, _align: usize, _size: usize) {
    // SAFETY: by the caller's promise.
    unsafe { free(p) };
}

/// glibc: the bytes that may be used, at least what was asked for; 0 for null and for what is no object. Programs that count
/// what they use ask at each allocation and each free.
#[unsafe(no_mangle)]
pub extern "C" fn malloc_usable_size(p: *mut c_void) -> usize {
    fast::usable_bytes_of_malloc(Addr::of(p)).unwrap_or_else(|| usable_size_of_any_kind(p))
}

#[inline(never)]
fn usable_size_of_any_kind(p: *mut c_void) -> usize {
    let address = Addr::of(p);
    if let Some(slot) = resolve::object_at(address) {
        return allocate::usable_bytes(&slot);
    }
    if let Some(family) = elsewhere() {
        // SAFETY: any address may be asked about.
        return unsafe { (family.malloc_usable_size)(p) };
    }
    match () {
        () if emergency::range().contains(address) => emergency::usable_bytes(address),
        () if foreign::may_be_anothers(address) => foreign::usable_bytes(p),
        () => 0,
    }
}

/// macOS: the bytes that a request would get.
#[unsafe(no_mangle)]
pub extern "C" fn malloc_good_size(size: usize) -> usize {
    gleaner::heap::usable_bytes_for(size)
}
