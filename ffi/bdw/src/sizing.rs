//! The size of the heap.
//!
//! The heap grows and shrinks by itself; what a program says here moves the next collection. `GC_expand_hp` and
//! `GC_INITIAL_HEAP_SIZE` put it off until so much is in use, and from then on the heap is said to have what was asked for,
//! free, although memory is obtained when it is used. `GC_free_space_divisor` is what it was: a larger one collects more
//! often. Other knobs are stored, and change nothing: `GC_dont_expand`, `GC_max_retries`, `GC_non_gc_bytes`, and the fewest
//! bytes between collections.

use crate::{accessors::accessors, control, data::*};
use core::ffi::c_int;
use gleaner::{
    api::{options, stats},
    base::sync::{AtomicI32, AtomicUsize, Ordering},
    collect::{settings, trigger},
    heap::{cage, pressure},
};

static MIN_BYTES_ALLOCATED: AtomicUsize = AtomicUsize::new(1);
static RELEASES_WHEN_ASKED: AtomicI32 = AtomicI32::new(0);

/// What the heap is said to have at least: at first as much as bdwgc's.
static PROMISED: AtomicUsize = AtomicUsize::new(64 << 10);

/// The bytes of a heap that has so many: those, or what the program has asked for.
pub fn heap_bytes(taken: u64) -> usize {
    (taken as usize).max(PROMISED.load(Ordering::Relaxed))
}

/// From now on the heap is said to have so many bytes, and no collection is due before they are in use.
pub fn begin_with(bytes: usize) {
    PROMISED.fetch_max(bytes, Ordering::Relaxed);
    trigger::expect(bytes);
}

/// The most that the heap may take; zero: no limit.
pub fn limit(bytes: usize) {
    options::set_limit(bytes);
}

#[unsafe(no_mangle)]
extern "C" fn GC_expand_hp(bytes: usize) -> c_int {
    control::settle();
    let Some(whole) = heap_bytes(stats::now().bytes_heap).checked_add(bytes) else { return 0 };
    if whole > pressure::limit_bytes().min(isize::MAX as usize) {
        return 0;
    }
    PROMISED.store(whole, Ordering::Relaxed);
    trigger::expect(whole.max(settings::expected_bytes()));
    1
}

#[unsafe(no_mangle)]
extern "C" fn GC_set_max_heap_size(bytes: usize) {
    limit(bytes);
}

/// Reads the variable, which a program may write to: for a slow path.
pub fn settle() {
    let divisor = GC_free_space_divisor.load(Ordering::Relaxed).clamp(1, 1000) as u32;
    if settings::space_divisor() != divisor {
        trigger::set_space_divisor(divisor);
    }
}

#[unsafe(no_mangle)]
extern "C" fn GC_set_free_space_divisor(divisor: usize) {
    GC_free_space_divisor.store(divisor, Ordering::Relaxed);
    settle();
}

#[unsafe(no_mangle)]
extern "C" fn GC_get_free_space_divisor() -> usize {
    GC_free_space_divisor.load(Ordering::Relaxed)
}

/// From now on the program may execute what it writes into objects, those it has included, or no longer. Where the system
/// refuses, the getter says so.
#[unsafe(no_mangle)]
extern "C" fn GC_set_pages_executable(is_executable: c_int) {
    cage::set_executable(is_executable != 0);
}

#[unsafe(no_mangle)]
extern "C" fn GC_get_pages_executable() -> c_int {
    cage::protection().execute.into()
}

/// Bytes handed out since the last collection less those freed by hand, as far as threads have reported.
pub fn bytes_since_collection() -> usize {
    pressure::spent().max(0) as usize
}

accessors! {
    GC_get_min_bytes_allocd, GC_set_min_bytes_allocd: usize in MIN_BYTES_ALLOCATED;
    GC_get_force_unmap_on_gcollect, GC_set_force_unmap_on_gcollect: c_int in RELEASES_WHEN_ASKED;
    GC_get_dont_expand, GC_set_dont_expand: c_int in GC_dont_expand;
    GC_get_dont_precollect, GC_set_dont_precollect: c_int in GC_dont_precollect;
    GC_get_max_retries, GC_set_max_retries: usize in GC_max_retries;
    GC_get_non_gc_bytes, GC_set_non_gc_bytes: usize in GC_non_gc_bytes;
    GC_get_on_heap_resize, GC_set_on_heap_resize: function in GC_on_heap_resize;
    GC_get_oom_fn, GC_set_oom_fn: function in GC_oom_fn;
}

/// Whether `GC_gcollect` gives memory back to the system, for the edge.
#[unsafe(no_mangle)]
extern "C" fn gleaner_bdw_releases_when_asked() -> c_int {
    RELEASES_WHEN_ASKED.load(Ordering::Relaxed)
}
