//! Roots, and displacements from them.
//!
//! Static data as the loader lists it is searched unless the program excludes it, and registered ranges are; thread-local
//! storage and all stacks always are, which is more than the program asks for. So is all static data where `malloc` has the
//! same heap: see `excluded` of the engine. `GC_clear_roots` and `GC_remove_roots` are about registered ranges; static data is
//! found again at the next collection, unless `GC_no_dls`. While `GC_all_interior_pointers` is 0, words in static data and
//! in objects keep what they lead to by registered displacements: see `displacement` of the engine. What a program has
//! registered as roots, thread-local storage and the data of finalizers are searched as stacks are, where any address
//! inside an object keeps it.

use crate::{accessors::accessors, alloc, control, data::*};
use core::{
    ffi::{CStr, c_char, c_int, c_void},
    mem::transmute,
};
use gleaner::{
    base::{
        addr::{Addr, Range},
        sync::Ordering,
    },
    collect::{
        allocate, displacement,
        roots::{excluded, needs_loader},
    },
};

static HAS_STATIC_ROOTS: Function = Function::none();

/// The whole words between two addresses.
fn words(begin: *mut c_void, end: *mut c_void) -> Option<Range> {
    let begin = (begin as usize).next_multiple_of(size_of::<usize>());
    let end = end as usize & !(size_of::<usize>() - 1);
    (begin != 0 && begin < end).then(|| Range::new(Addr::new(begin), Addr::new(end)))
}

#[unsafe(no_mangle)]
extern "C" fn GC_add_roots(begin: *mut c_void, end: *mut c_void) {
    let Some(range) = words(begin, end) else { return };
    let added =
        allocate::with_tables(|tables| tables.ranges.as_slice().contains(&range) || tables.ranges.push(range).is_ok());
    if added != Some(true) {
        gleaner::fatal!("GC_add_roots: no memory to remember {:#x} to {:#x}", range.start.get(), range.end.get());
    }
}

/// Removes those that lie inside.
#[unsafe(no_mangle)]
extern "C" fn GC_remove_roots(begin: *mut c_void, end: *mut c_void) {
    let Some(removed) = words(begin, end) else { return };
    allocate::with_tables(|tables| {
        let is_inside = |range: &Range| range.start >= removed.start && range.end <= removed.end;
        while let Some(index) = tables.ranges.as_slice().iter().rposition(is_inside) {
            tables.ranges.swap_remove(index);
        }
    });
}

#[unsafe(no_mangle)]
extern "C" fn GC_clear_roots() {
    allocate::with_tables(|tables| while tables.ranges.pop().is_some() {});
}

/// Neither in static data nor in registered ranges.
#[unsafe(no_mangle)]
extern "C" fn GC_exclude_static_roots(begin: *mut c_void, end: *mut c_void) {
    let Some(range) = words(begin, end) else { return };
    if allocate::with_tables(|tables| tables.excluded.add(range).is_ok()) != Some(true) {
        let (start, end) = (range.start.get(), range.end.get());
        gleaner::fatal!("GC_exclude_static_roots: no memory to remember {start:#x} to {end:#x}");
    }
}

#[unsafe(no_mangle)]
extern "C" fn GC_clear_exclusion_table() {
    allocate::with_tables(|tables| tables.excluded.clear());
}

/// No root is one for a time only.
#[unsafe(no_mangle)]
extern "C" fn GC_is_tmp_root(_p: *mut c_void) -> c_int {
    0
}

#[unsafe(no_mangle)]
extern "C" fn GC_register_has_static_roots_callback(callback: *mut c_void) {
    HAS_STATIC_ROOTS.set(callback);
    excluded::set_filter((!callback.is_null()).then_some(has_static_roots));
}

fn has_static_roots(path: &CStr, segment: Range) -> bool {
    let callback = HAS_STATIC_ROOTS.get();
    // SAFETY: the program set it to be called so.
    callback.is_null()
        || unsafe {
            transmute::<*mut c_void, unsafe extern "C" fn(*const c_char, *mut c_void, usize) -> c_int>(callback)(
                path.as_ptr(),
                segment.start.as_ptr(),
                segment.bytes(),
            )
        } != 0
}

/// Has static data searched as `GC_no_dls` says, which a program may write to: for a slow path.
pub fn settle_static_data() {
    excluded::leave_static_data_out(GC_no_dls.load(Ordering::Relaxed) != 0);
}

#[unsafe(no_mangle)]
pub extern "C" fn GC_register_displacement(bytes: usize) {
    if !displacement::register(bytes) {
        let end = displacement::END;
        gleaner::fatal!("GC_register_displacement: {bytes} is no displacement below {end}: Bad argument");
    }
}

/// With and without a header.
#[unsafe(no_mangle)]
extern "C" fn GC_debug_register_displacement(bytes: usize) {
    GC_register_displacement(bytes);
    GC_register_displacement(bytes.saturating_add(GC_debug_header_size));
}

/// Has objects be kept and made as `GC_all_interior_pointers` says. Where another door has objects in this heap, any address
/// inside one keeps it.
pub fn settle_interior_pointers() {
    let keep_all = GC_all_interior_pointers.load(Ordering::Relaxed) != 0;
    alloc::set_extra_byte(keep_all);
    displacement::keep_only_registered(!keep_all && needs_loader());
}

#[unsafe(no_mangle)]
extern "C" fn GC_get_all_interior_pointers() -> c_int {
    GC_all_interior_pointers.load(Ordering::Relaxed)
}

#[unsafe(no_mangle)]
extern "C" fn GC_set_all_interior_pointers(value: c_int) {
    GC_all_interior_pointers.store(c_int::from(value != 0), Ordering::Relaxed);
    if control::GC_is_init_called() != 0 {
        settle_interior_pointers();
    }
}

accessors! {
    GC_get_push_other_roots, GC_set_push_other_roots: function in GC_push_other_roots;
    GC_get_no_dls, GC_set_no_dls: c_int in GC_no_dls;
}
