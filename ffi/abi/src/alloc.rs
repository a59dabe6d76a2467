//! Allocating and freeing, and what an address belongs to.

use crate::{
    engine::{
        forward, gleaner_slow_allocate, gleaner_slow_allocate_kind, gleaner_slow_allocate_typed, gleaner_slow_free,
        gleaner_slow_realloc,
    },
    exports::{errno, refuse},
    misuse,
};
use core::ffi::{c_char, c_int, c_uint, c_ulong, c_void};
use gleaner::{
    base::addr::{Addr, Ambiguous},
    collect::{self, trace},
    heap::{
        fast,
        kind::{Design, Kind},
        resolve,
    },
};

unsafe extern "C" {
    fn gleaner_edge_strndup(s: *const c_char, n: usize) -> *mut c_char;
}

/// Takes a slot for `bytes` of `kind`, which are exact, or leaves for the slow path.
#[inline(always)]
fn pop_or_leave(bytes: usize, kind: Kind) -> *mut c_void {
    let slot = fast::pop(bytes, kind);
    if !slot.is_null() {
        return slot.cast();
    }
    // SAFETY: any size may be asked for.
    unsafe { gleaner_slow_allocate(bytes, 1, c_uint::from(kind.number())) }
}

/// An object for another copy of the library: see [`Engine`](crate::engine::Engine).
pub(crate) extern "C" fn allocate(bytes: usize, align: usize, kind: c_uint) -> *mut c_void {
    if align == 1 {
        return pop_or_leave(bytes, Kind::from_number(kind as u8));
    }
    // SAFETY: any size may be asked for.
    unsafe { gleaner_slow_allocate(bytes, align, kind) }
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_malloc(size: usize) -> *mut c_void {
    pop_or_leave(size, Kind::SCANNED)
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_malloc_atomic(size: usize) -> *mut c_void {
    pop_or_leave(size, Kind::POINTER_FREE)
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_malloc_uncollectable(size: usize) -> *mut c_void {
    pop_or_leave(size, Kind::UNCOLLECTABLE)
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_calloc(count: usize, size: usize) -> *mut c_void {
    match count.checked_mul(size) {
        Some(bytes) => pop_or_leave(bytes, Kind::SCANNED),
        None => refuse(errno::ENOMEM),
    }
}

/// See `gleaner.h`.
///
/// # Safety
/// `p` is null or an object that the caller may move.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_realloc(p: *mut c_void, size: usize) -> *mut c_void {
    if p.is_null() {
        return pop_or_leave(size, Kind::SCANNED);
    }
    if size == 0 {
        // SAFETY: by the caller's promise.
        unsafe { gc_free(p) };
        return core::ptr::null_mut();
    }
    // SAFETY: by the caller's promise.
    unsafe { gleaner_slow_realloc(p, size) }
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_memalign(alignment: usize, size: usize) -> *mut c_void {
    if !alignment.is_power_of_two() {
        return refuse(errno::EINVAL);
    }
    if size > isize::MAX as usize || alignment > isize::MAX as usize {
        return refuse(errno::ENOMEM);
    }
    // SAFETY: any size may be asked for.
    unsafe { gleaner_slow_allocate(size, alignment, c_uint::from(Kind::SCANNED.number())) }
}

/// See `gleaner.h`.
///
/// # Safety
/// `s` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_strdup(s: *const c_char) -> *mut c_char {
    // SAFETY: by the caller's promise.
    unsafe { gleaner_edge_strndup(s, usize::MAX) }
}

/// See `gleaner.h`.
///
/// # Safety
/// `s` is a string, or `n` bytes of one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_strndup(s: *const c_char, n: usize) -> *mut c_char {
    // SAFETY: by the caller's promise.
    unsafe { gleaner_edge_strndup(s, n) }
}

/// See `gleaner.h`.
///
/// # Safety
/// `p` is null or an object that the caller gives up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_free(p: *mut c_void) {
    if p.is_null() {
        return;
    }
    // SAFETY: by the caller's promise.
    if !unsafe { fast::push(Addr::of(p)) } {
        // SAFETY: by the caller's promise.
        unsafe { gleaner_slow_free(p) };
    }
}

/// Reached by a jump, so the word on the stack is where the call of `gc_free` returns to: reports name it.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn free_slowly(p: *mut c_void) {
    core::arch::naked_asm!("mov rsi, [rsp]", "jmp {free}", free = sym free_at)
}

unsafe extern "C" fn free_at(p: *mut c_void, site: usize) {
    misuse::report("gc_free", Addr::of(p), site, collect::allocate::free(Addr::of(p), site));
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_usable_size(p: *const c_void) -> usize {
    if let Some(slot) = resolve::object_at(Addr::of(p)) {
        return collect::allocate::usable_bytes(&slot);
    }
    forward!(gc_usable_size(p));
    0
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_base(p: *const c_void) -> *mut c_void {
    if let Some(slot) = resolve::resolve(Ambiguous(p as usize)) {
        return slot.start().as_ptr();
    }
    forward!(gc_base(p));
    core::ptr::null_mut()
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_contains(p: *const c_void) -> c_int {
    if resolve::resolve(Ambiguous(p as usize)).is_some() {
        return 1;
    }
    forward!(gc_contains(p));
    0
}

/// See `gleaner.h`.
///
/// # Safety
/// `bitmap` has `words` bits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_layout_from_bitmap(bitmap: *const c_ulong, words: usize) -> usize {
    forward!(gc_layout_from_bitmap(bitmap, words));
    if bitmap.is_null() || words == 0 {
        errno::set(errno::EINVAL);
        return 0;
    }
    // SAFETY: by the caller's promise; `unsigned long` has 64 bits here.
    let bitmap = unsafe { core::slice::from_raw_parts(bitmap, words.div_ceil(64)) };
    trace::layout::from_bitmap(bitmap, words).unwrap_or_else(|| {
        errno::set(errno::ENOMEM);
        0
    })
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_malloc_typed(size: usize, layout: usize) -> *mut c_void {
    if layout == 0 {
        return refuse(errno::EINVAL);
    }
    // SAFETY: any size may be asked for.
    unsafe { gleaner_slow_allocate_typed(size, layout) }
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_kind_new(
    trace: Option<unsafe extern "C" fn(*mut c_void, usize, *mut crate::exports::Tracer)>,
) -> c_uint {
    forward!(gc_kind_new(trace));
    let kind = collect::allocate::make_kind(Design::of_trace(trace.map_or(0, |trace| trace as usize)));
    kind.map_or_else(
        || {
            errno::set(errno::ENOSPC);
            0
        },
        |kind| c_uint::from(kind.number()),
    )
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_malloc_kind(size: usize, kind: c_uint) -> *mut c_void {
    match Kind::made(kind) {
        Some(kind) => pop_or_leave(size, kind),
        // SAFETY: any number may be passed.
        None => unsafe { gleaner_slow_allocate_kind(size, kind) },
    }
}

/// The kind was made nowhere.
pub(crate) extern "C" fn refuse_kind(_size: usize, _kind: c_uint) -> *mut c_void {
    refuse(errno::EINVAL)
}

/// See `gleaner.h`.
///
/// # Safety
/// `tracer` is what a trace procedure was handed, in that call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_trace_word(tracer: *mut crate::exports::Tracer, word: *const c_void) {
    forward!(gc_trace_word(tracer, word));
    // SAFETY: by the caller's promise.
    unsafe { (*tracer).word(word as usize) };
}

/// See `gleaner.h`.
///
/// # Safety
/// `tracer` is what a trace procedure was handed, in that call, and the range may be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_trace_range(tracer: *mut crate::exports::Tracer, begin: *const c_void, end: *const c_void) {
    forward!(gc_trace_range(tracer, begin, end));
    // SAFETY: by the caller's promise.
    unsafe { (*tracer).range(gleaner::base::addr::Range::new(Addr::of(begin), Addr::of(end))) };
}

/// What [`gc_free`] does, for the edge.
///
/// # Safety
/// As for `gc_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gleaner_free(p: *mut c_void) {
    // SAFETY: by the caller's promise.
    unsafe { gc_free(p) };
}
