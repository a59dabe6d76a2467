//! Caches: a thread's magazines, lent to code that is compiled into the program (`gleaner_inline.h`).
//!
//! A magazine is its thread's as long as the thread has its record, and records are never given back, so its address may
//! be kept. The program pops by the order of accesses that `heap::magazine` argues; all else goes through the functions
//! here, where it shows whose magazine it is.

use crate::{
    engine::{forward, gleaner_slow_cache_malloc, gleaner_slow_cache_malloc_typed},
    exports::{Cache, errno, refuse},
};
use core::ffi::{c_uint, c_void};
use gleaner::{
    base::addr::Addr,
    collect::world,
    fatal,
    heap::{Request, kind::Kind, mutator, resolve, size_class, units::Class},
};

/// `GC_CACHE_LAYOUT`: what the header knows of a magazine, and how it finds one.
const LAYOUT: c_uint = 1;

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_cache_find(layout: c_uint, size: usize, kind: c_uint) -> *mut Cache {
    forward!(gc_cache_find(layout, size, kind));
    if layout != LAYOUT {
        return refuse(errno::ENOSYS);
    }
    let Some(class) = class_for(size, kind) else { return refuse(errno::EINVAL) };
    match world::register() {
        Some(mutator) => core::ptr::from_ref(mutator.magazine(class)).cast_mut(),
        None => refuse(errno::ENOMEM),
    }
}

/// The class of objects of `size` bytes of the kind with this number, if a program may have a cache of it.
fn class_for(size: usize, kind: c_uint) -> Option<Class> {
    let fixed = [Kind::SCANNED, Kind::POINTER_FREE, Kind::UNCOLLECTABLE, Kind::TYPED];
    let fixed = fixed.into_iter().find(|fixed| c_uint::from(fixed.number()) == kind);
    let kind = fixed.or_else(|| Kind::made(kind))?;
    let bytes = size.checked_add(if kind == Kind::TYPED { resolve::LAYOUT_BYTES } else { 0 })?;
    (bytes <= size_class::TABLE_BYTES_MAX).then(|| Request::new(bytes, kind).class()).flatten()
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub extern "C" fn gc_cache_malloc_slowly(cache: *mut Cache) -> *mut c_void {
    core::arch::naked_asm!("jmp {edge}", edge = sym gleaner_slow_cache_malloc)
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub extern "C" fn gc_cache_malloc_typed_slowly(cache: *mut Cache, size: usize, layout: usize) -> *mut c_void {
    core::arch::naked_asm!("jmp {edge}", edge = sym gleaner_slow_cache_malloc_typed)
}

/// For the edge: the kind of a cache that is empty, and the bytes of its objects. Aborts when it is not one of the
/// calling thread's for objects without a layout.
///
/// # Safety
/// `bytes` can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gleaner_cache_class(cache: *const Cache, bytes: *mut usize) -> c_uint {
    let class = own_class("gc_cache_malloc", cache);
    if class.kind() == Kind::TYPED {
        fatal!(
            "gc_cache_malloc: a cache of typed objects: {:#x}; allocate from it with gc_cache_malloc_typed",
            cache as usize
        );
    }
    // SAFETY: by the caller's promise.
    unsafe { *bytes = class.shape().slot_bytes as usize };
    c_uint::from(class.kind().number())
}

/// The same for objects of `size` bytes with a layout.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_cache_check_typed(cache: *const Cache, size: usize) {
    let class = own_class("gc_cache_malloc_typed", cache);
    if class_for(size, c_uint::from(Kind::TYPED.number())) != Some(class) {
        fatal!(
            "gc_cache_malloc_typed: not a cache for typed objects of {size} bytes: {:#x}; pass the size and the cache that \
             gc_cache_get was asked for",
            cache as usize
        );
    }
}

/// The class of a cache of the calling thread's.
fn own_class(function: &str, cache: *const Cache) -> Class {
    let address = Addr::of(cache);
    // Without memory for a record the thread has no cache either: it was somebody else's, or ended.
    let Some(class) = world::register().and_then(|mutator| mutator.class_of_magazine(address)) else {
        let is_cache = mutator::all().any(|record| record.class_of_magazine(address).is_some());
        let what = if is_cache { "another thread's cache, or one that has ended" } else { "not a cache" };
        fatal!("{function}: {what}: {:#x}; ask gc_cache_get on each thread that allocates", address.get());
    };
    class
}
