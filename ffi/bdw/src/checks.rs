//! Checks of pointers, and dumps. A check that fails calls the program's function for that, which may leave: so the edge
//! does.

use crate::edge;
use core::ffi::{c_int, c_void};
use gleaner::{
    api::stats,
    base::addr::{Addr, Ambiguous},
    collect::{allocate, displacement},
    heap::resolve::{self, Slot},
};

/// Whether `p` and `q` lie in one object, or neither in any; for the edge.
#[unsafe(no_mangle)]
extern "C" fn gleaner_bdw_are_in_one_object(p: *const c_void, q: *const c_void) -> c_int {
    let object = |p: *const c_void| resolve::resolve(Ambiguous(p as usize)).map(|slot| slot.start());
    c_int::from(object(p) == object(q))
}

/// Whether what lies at `p` is searched for pointers because it is part of an object, or of a range that the program has
/// registered; for the edge.
#[unsafe(no_mangle)]
extern "C" fn gleaner_bdw_is_searched(p: *const c_void) -> c_int {
    let address = Addr::of(p);
    let in_object =
        resolve::resolve(Ambiguous(p as usize)).is_some_and(|slot| slot.class().kind().traits().may_hold_pointers());
    let in_range =
        || allocate::with_tables(|tables| tables.ranges.as_slice().iter().any(|range| range.contains(address)));
    c_int::from(in_object || in_range() == Some(true))
}

/// What a dump says; for the edge.
#[repr(C)]
struct Figures {
    collections: u64,
    bytes_heap: u64,
    bytes_in_use: u64,
    live_objects: u64,
    threads: u64,
    finalizers_pending: u64,
}

/// # Safety
/// `figures` can be written to.
#[unsafe(no_mangle)]
unsafe extern "C" fn gleaner_bdw_figures(figures: *mut Figures) {
    let now = stats::now();
    // SAFETY: by the caller's promise.
    unsafe {
        figures.write(Figures {
            collections: now.collections,
            bytes_heap: now.bytes_heap,
            bytes_in_use: now.bytes_in_use,
            live_objects: now.live_objects_last,
            threads: now.threads,
            finalizers_pending: now.finalizers_pending,
        });
    }
}

/// For compilers: a use of a value.
#[unsafe(no_mangle)]
extern "C" fn GC_noop1(value: usize) {
    core::hint::black_box(value);
}

/// Whether a word of an object that leads to `p` would keep what is there, or there is nothing that could die; for the edge.
#[unsafe(no_mangle)]
extern "C" fn gleaner_bdw_is_valid_displacement(p: *const c_void) -> c_int {
    let address = p as usize;
    let is_kept = |slot: Slot| displacement::Rule::of_now().keeps_slot(&slot, address);
    c_int::from(resolve::resolve(Ambiguous(address)).is_none_or(is_kept))
}

edge::functions! {
    fn GC_same_obj() = gleaner_bdw_same_obj;
    fn GC_pre_incr() = gleaner_bdw_pre_incr;
    fn GC_post_incr() = gleaner_bdw_post_incr;
    fn GC_is_valid_displacement() = gleaner_bdw_checked_displacement;
    fn GC_is_visible() = gleaner_bdw_is_visible;
    fn GC_dump() = gleaner_bdw_dump;
    fn GC_dump_named() = gleaner_bdw_dump_named;
    fn GC_dump_regions() = gleaner_bdw_dump_regions;
    fn GC_dump_finalization() = gleaner_bdw_dump_finalization;
}
