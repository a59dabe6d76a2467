//! Allocating and freeing.
//!
//! A request is for one byte more than asked while interior pointers keep objects, so that one past the end still lies
//! inside; objects that are never collected do without. The fast paths take a slot from the thread's magazine, and leave
//! for the edge by a jump: the program's `GC_oom_fn` may throw, and its finalizers may.

use crate::{control, edge, off_page, typed};
use core::ffi::{c_char, c_int, c_void};
use gleaner::{
    base::{
        addr::Addr,
        sync::{AtomicUsize, Ordering},
    },
    collect::allocate::{self, Resized},
    heap::{Request, fast, kind::Kind, resolve, size_class},
};
use gleaner_abi::{exports::errno, misuse};

/// The byte past the end: 1 while interior pointers keep objects. As `GC_all_interior_pointers` was when the program
/// called `GC_init`, or what the setter said since.
static EXTRA_BYTES: AtomicUsize = AtomicUsize::new(1);

/// Whether requests get a byte more.
pub fn set_extra_byte(is_wanted: bool) {
    // Relaxed: a program sets it before it allocates; a request beside that gets one or the other.
    EXTRA_BYTES.store(usize::from(is_wanted), Ordering::Relaxed);
}

/// The bytes of a slot for `bytes` of a kind. `None`: more than there are.
#[inline(always)]
pub fn with_extra_byte(bytes: usize, kind: Kind) -> Option<usize> {
    if kind.traits().is_uncollectable() { Some(bytes) } else { bytes.checked_add(EXTRA_BYTES.load(Ordering::Relaxed)) }
}

/// Takes a slot for `bytes` of a kind that has an extra byte, or leaves for the slow path.
#[inline(always)]
fn pop_or_leave(bytes: usize, kind: Kind) -> *mut c_void {
    if bytes < size_class::TABLE_BYTES_MAX {
        let slot = fast::pop(bytes + EXTRA_BYTES.load(Ordering::Relaxed), kind);
        if !slot.is_null() {
            return slot.cast();
        }
    }
    // SAFETY: any size may be asked for.
    unsafe { edge::gleaner_bdw_allocate(bytes, 1, u32::from(kind.number())) }
}

/// As [`pop_or_leave`], of a kind that has no extra byte.
#[inline(always)]
fn pop_exactly_or_leave(bytes: usize, kind: Kind) -> *mut c_void {
    let slot = fast::pop(bytes, kind);
    if !slot.is_null() {
        return slot.cast();
    }
    // SAFETY: any size may be asked for.
    unsafe { edge::gleaner_bdw_allocate(bytes, 1, u32::from(kind.number())) }
}

#[unsafe(no_mangle)]
extern "C" fn GC_malloc(bytes: usize) -> *mut c_void {
    pop_or_leave(bytes, Kind::SCANNED)
}

#[unsafe(no_mangle)]
extern "C" fn GC_malloc_stubborn(bytes: usize) -> *mut c_void {
    pop_or_leave(bytes, Kind::SCANNED)
}

#[unsafe(no_mangle)]
extern "C" fn GC_malloc_atomic(bytes: usize) -> *mut c_void {
    pop_or_leave(bytes, Kind::POINTER_FREE)
}

#[unsafe(no_mangle)]
extern "C" fn GC_malloc_ignore_off_page(bytes: usize) -> *mut c_void {
    pop_or_leave(bytes, off_page::kind_for(bytes, Kind::SCANNED))
}

#[unsafe(no_mangle)]
extern "C" fn GC_malloc_atomic_ignore_off_page(bytes: usize) -> *mut c_void {
    pop_or_leave(bytes, off_page::kind_for(bytes, Kind::POINTER_FREE))
}

#[unsafe(no_mangle)]
extern "C" fn GC_malloc_uncollectable(bytes: usize) -> *mut c_void {
    pop_exactly_or_leave(bytes, Kind::UNCOLLECTABLE)
}

#[unsafe(no_mangle)]
extern "C" fn GC_malloc_atomic_uncollectable(bytes: usize) -> *mut c_void {
    pop_exactly_or_leave(bytes, Kind::POINTER_FREE_UNCOLLECTABLE)
}

/// The slow path, for the edge: an object, or null when there is no memory.
#[unsafe(no_mangle)]
extern "C" fn gleaner_bdw_take(bytes: usize, align: usize, kind: u32) -> *mut c_void {
    control::settle();
    let kind = Kind::from_number(kind as u8);
    let object = with_extra_byte(bytes, kind)
        .and_then(|bytes| allocate::allocate(&Request { bytes, align, kind, zeroed: false }).ok());
    object.map_or(core::ptr::null_mut(), Addr::as_ptr)
}

/// # Safety
/// `p` is null or an object that the caller may move.
#[unsafe(no_mangle)]
unsafe extern "C" fn GC_realloc(p: *mut c_void, bytes: usize) -> *mut c_void {
    if p.is_null() {
        return pop_or_leave(bytes, Kind::SCANNED);
    }
    if bytes == 0 {
        // SAFETY: by the caller's promise.
        unsafe { GC_free(p) };
        return core::ptr::null_mut();
    }
    // SAFETY: by the caller's promise.
    unsafe { edge::gleaner_bdw_reallocate(p, bytes) }
}

/// Changes an object's size, for the edge: where it is afterwards, or null when there is no memory and nothing has changed.
/// What an object of a kind that is handed out as zero has beyond `bytes` is zero afterwards.
///
/// # Safety
/// `p` is not null, and the caller may move it; `bytes` is not zero.
#[unsafe(no_mangle)]
unsafe extern "C" fn gleaner_bdw_resize(p: *mut c_void, bytes: usize) -> *mut c_void {
    control::settle();
    let address = Addr::of(p);
    let slot = resolve::object_at(address);
    if let Some(resized) = slot.and_then(|slot| typed::resize(&slot, bytes)) {
        return if let Resized::At(moved) = resized { moved.as_ptr() } else { core::ptr::null_mut() };
    }
    let kind = slot.map_or(Kind::SCANNED, |slot| slot.class().kind());
    let Some(wanted) = with_extra_byte(bytes, kind) else { return core::ptr::null_mut() };
    let resized = match slot.filter(|_| off_page::ordinary(kind) != kind) {
        Some(slot) => off_page::resize(&slot, wanted),
        None => allocate::resize(address, wanted),
    };
    match resized {
        Resized::At(moved) => {
            if moved == address && kind.traits().is_zeroed() {
                clear_from(moved, bytes);
            }
            moved.as_ptr()
        }
        Resized::NoMemory => core::ptr::null_mut(),
        Resized::NotAnObject(freed) => {
            misuse::report("GC_realloc", address, 0, freed);
            core::ptr::null_mut()
        }
    }
}

/// Clears the end of an object that is smaller now.
fn clear_from(object: Addr, bytes: usize) {
    let Some(slot) = resolve::object_at(object) else { return };
    let usable = slot.usable_bytes();
    // SAFETY: the object is the caller's, and holds so many bytes.
    unsafe { core::ptr::write_bytes((object + bytes).as_ptr::<u8>(), 0, usable.saturating_sub(bytes)) };
}

/// # Safety
/// `p` is null or an object that the caller gives up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GC_free(p: *mut c_void) {
    if p.is_null() {
        return;
    }
    // SAFETY: by the caller's promise.
    if !unsafe { fast::push(Addr::of(p)) } {
        // SAFETY: by the caller's promise.
        unsafe { free_slowly(p) };
    }
}

/// Reached by a jump, so the word on the stack is where the call of `GC_free` returns to: reports name it.
#[unsafe(naked)]
unsafe extern "C" fn free_slowly(p: *mut c_void) {
    core::arch::naked_asm!("mov rsi, [rsp]", "jmp {free}", free = sym free_at)
}

unsafe extern "C" fn free_at(p: *mut c_void, site: usize) {
    let address = Addr::of(p);
    misuse::report("GC_free", address, site, allocate::free(address, site));
}

#[unsafe(no_mangle)]
extern "C" fn GC_memalign(align: usize, bytes: usize) -> *mut c_void {
    if !align.is_power_of_two() || align > isize::MAX as usize {
        return core::ptr::null_mut();
    }
    // SAFETY: any size may be asked for.
    unsafe { edge::gleaner_bdw_allocate(bytes, align, u32::from(Kind::SCANNED.number())) }
}

/// # Safety
/// `*result` can be written to.
#[unsafe(no_mangle)]
unsafe extern "C" fn GC_posix_memalign(result: *mut *mut c_void, align: usize, bytes: usize) -> c_int {
    if !align.is_power_of_two() || !align.is_multiple_of(size_of::<usize>()) || align > isize::MAX as usize {
        return errno::EINVAL;
    }
    // SAFETY: by the caller's promise.
    unsafe { edge::gleaner_bdw_posix_memalign(result, align, bytes) }
}

/// # Safety
/// `s` is null or a string.
#[unsafe(no_mangle)]
unsafe extern "C" fn GC_strdup(s: *const c_char) -> *mut c_char {
    // SAFETY: by the caller's promise.
    unsafe { edge::gleaner_bdw_strndup(s, usize::MAX) }
}

/// # Safety
/// `s` is null, a string, or `most` bytes of one.
#[unsafe(no_mangle)]
unsafe extern "C" fn GC_strndup(s: *const c_char, most: usize) -> *mut c_char {
    // SAFETY: by the caller's promise.
    unsafe { edge::gleaner_bdw_strndup(s, most) }
}

// Stacks are searched from the stack pointer on: what lies below keeps nothing.
#[unsafe(no_mangle)]
extern "C" fn GC_clear_stack(p: *mut c_void) -> *mut c_void {
    p
}
