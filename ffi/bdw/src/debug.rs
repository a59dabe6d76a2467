//! Objects with a header that says where they were allocated: `debug.c` has them, and this looks at all of them after a
//! collection that the program asked for.

use crate::{data::*, edge, incremental, roots};
use core::ffi::{c_int, c_void};
use gleaner::{
    base::{
        addr::Addr,
        sync::{AtomicBool, Ordering},
    },
    heap::{gate, mutator, resolve, sweep},
};

unsafe extern "C" {
    fn gleaner_bdw_is_smashed(base: *const c_void) -> c_int;
    fn gleaner_bdw_print_smashed();
}

/// Whether there has been an object with a header. Relaxed: whoever looks has made one, or comes too early.
static ARE_WATCHED: AtomicBool = AtomicBool::new(false);

#[unsafe(no_mangle)]
extern "C" fn gleaner_bdw_watch_debug_objects() {
    if !ARE_WATCHED.load(Ordering::Relaxed) {
        // The program knows such objects by the address behind their headers.
        roots::GC_register_displacement(GC_debug_header_size);
        ARE_WATCHED.store(true, Ordering::Relaxed);
    }
}

/// Says what objects have been written past their ends; for the edge, after a collection.
#[unsafe(no_mangle)]
extern "C" fn gleaner_bdw_check_debug_objects() {
    if ARE_WATCHED.load(Ordering::Relaxed) {
        // SAFETY: no gate is held.
        unsafe { gleaner_bdw_print_smashed() };
    }
}

/// How many objects have been written past their ends, and the first of them.
///
/// # Safety
/// There is room for `room` addresses at `objects`.
#[unsafe(no_mangle)]
unsafe extern "C" fn gleaner_bdw_smashed(objects: *mut *mut c_void, room: usize) -> usize {
    let Some(_inside) = mutator::register().and_then(gate::enter) else { return 0 };
    let mut count = 0;
    sweep::for_each_allocated_word(
        |_| true,
        |class, unit, index, allocated| {
            sweep::for_each_slot(class, unit, index, allocated, |start: Addr| {
                // SAFETY: an object of the heap: its bytes can be read.
                if unsafe { gleaner_bdw_is_smashed(start.as_ptr()) } != 0 {
                    if count < room {
                        // SAFETY: by the caller's promise.
                        unsafe { objects.add(count).write(start.as_ptr()) };
                    }
                    count += 1;
                }
            });
        },
    );
    count
}

/// Whether the object at `base` is freed by hand only.
#[unsafe(no_mangle)]
extern "C" fn gleaner_bdw_is_uncollectable(base: *const c_void) -> c_int {
    let slot = resolve::object_at(Addr::of(base));
    c_int::from(slot.is_some_and(|slot| slot.class().kind().traits().is_uncollectable()))
}

#[unsafe(no_mangle)]
extern "C" fn GC_get_debug_header_size() -> usize {
    GC_debug_header_size
}

#[unsafe(no_mangle)]
extern "C" fn GC_debug_change_stubborn(_object: *const c_void) {}

#[unsafe(no_mangle)]
extern "C" fn GC_debug_end_stubborn_change(_object: *const c_void) {}

/// # Safety
/// `place` can be written to.
#[unsafe(no_mangle)]
unsafe extern "C" fn GC_debug_ptr_store_and_dirty(place: *mut c_void, value: *const c_void) {
    // SAFETY: by the caller's promise.
    unsafe { incremental::GC_ptr_store_and_dirty(place, value) };
}

edge::functions! {
    fn GC_debug_malloc() = gleaner_bdw_debug_malloc;
    fn GC_debug_malloc_atomic() = gleaner_bdw_debug_malloc_atomic;
    fn GC_debug_malloc_uncollectable() = gleaner_bdw_debug_malloc_uncollectable;
    fn GC_debug_malloc_atomic_uncollectable() = gleaner_bdw_debug_malloc_atomic_uncollectable;
    fn GC_debug_malloc_replacement() = gleaner_bdw_debug_malloc_replacement;
    fn GC_debug_realloc() = gleaner_bdw_debug_realloc;
    fn GC_debug_realloc_replacement() = gleaner_bdw_debug_realloc_replacement;
    fn GC_debug_free() = gleaner_bdw_debug_free;
    fn GC_debug_strdup() = gleaner_bdw_debug_strdup;
    fn GC_debug_strndup() = gleaner_bdw_debug_strndup;
    fn GC_debug_generic_or_special_malloc() = gleaner_bdw_debug_malloc_kind;
    fn GC_debug_malloc_stubborn() = gleaner_bdw_debug_malloc;
    fn GC_debug_malloc_ignore_off_page() = gleaner_bdw_debug_malloc;
    fn GC_debug_malloc_atomic_ignore_off_page() = gleaner_bdw_debug_malloc_atomic;
}
