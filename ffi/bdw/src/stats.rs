//! Statistics, and the version.

use crate::{data::*, sizing};
use core::ffi::{c_uint, c_ulong, c_void};
use gleaner::{
    api::stats::{self, Stats},
    base::{
        addr::Addr,
        sync::{AtomicU64, Ordering},
    },
    collect::{allocate, stats::COUNTERS},
    heap::mutator,
};
use gleaner_abi::misuse;

/// `GC_PROF_STATS` of `gc.h`.
#[repr(C)]
struct Profile {
    heap_bytes: usize,
    free_bytes: usize,
    unmapped_bytes: usize,
    bytes_since_collection: usize,
    bytes_before_collection: usize,
    non_gc_bytes: usize,
    collections: usize,
    other_markers: usize,
    reclaimed_since_collection: usize,
    reclaimed_before_collection: usize,
    freed_since_collection: usize,
    obtained_bytes: usize,
}

/// What `GC_get_heap_usage_safe` and its kin say. What was given back to the system is no part of the heap, so nothing of
/// it is unmapped; what the program has asked for and not used is, and is free.
struct Usage {
    heap: usize,
    free: usize,
    since_collection: usize,
    total: usize,
}

impl Usage {
    fn now() -> Usage {
        let figures = stats::now();
        let heap = sizing::heap_bytes(figures.bytes_heap);
        let total = figures.bytes_allocated_total as usize;
        Usage {
            heap,
            free: heap.saturating_sub(figures.bytes_in_use as usize),
            since_collection: sizing::bytes_since_collection().min(total),
            total,
        }
    }
}

/// Version 8.2.2: the major number, the minor one and the last in a byte each, as the header has it.
#[unsafe(no_mangle)]
extern "C" fn GC_get_version() -> c_uint {
    0x08_02_02
}

#[unsafe(no_mangle)]
extern "C" fn GC_get_gc_no() -> usize {
    let collections = COUNTERS.collections.load(Ordering::Relaxed) as usize;
    GC_gc_no.store(collections, Ordering::Relaxed);
    collections
}

#[unsafe(no_mangle)]
extern "C" fn GC_get_heap_size() -> usize {
    Usage::now().heap
}

#[unsafe(no_mangle)]
extern "C" fn GC_get_free_bytes() -> usize {
    Usage::now().free
}

#[unsafe(no_mangle)]
extern "C" fn GC_get_unmapped_bytes() -> usize {
    0
}

#[unsafe(no_mangle)]
extern "C" fn GC_get_bytes_since_gc() -> usize {
    sizing::bytes_since_collection()
}

/// What had been freed by hand when the last collection ended.
static FREED_BEFORE: AtomicU64 = AtomicU64::new(0);

/// A collection ends; the world is stopped yet.
pub fn note_collection() {
    let freed = mutator::all().map(|record| record.freed_bytes.load(Ordering::Relaxed)).sum();
    FREED_BEFORE.store(freed, Ordering::Relaxed);
}

/// What the calling thread has freed is counted to the last object, so that a program that frees one sees it. What its
/// magazines held besides is counted as well, as allocated and freed again; what other threads have freed, as far as they
/// have reported it.
fn count_frees() {
    misuse::report("GC_free", Addr::NULL, 0, allocate::count_frees());
}

#[unsafe(no_mangle)]
extern "C" fn GC_get_expl_freed_bytes_since_gc() -> usize {
    count_frees();
    freed_since_collection(stats::now().bytes_freed_total)
}

fn freed_since_collection(freed: u64) -> usize {
    freed.saturating_sub(FREED_BEFORE.load(Ordering::Relaxed)) as usize
}

#[unsafe(no_mangle)]
extern "C" fn GC_get_total_bytes() -> usize {
    Usage::now().total
}

#[unsafe(no_mangle)]
extern "C" fn GC_get_obtained_from_os_bytes() -> usize {
    obtained_bytes(&stats::now())
}

/// No fewer than the heap has.
fn obtained_bytes(figures: &Stats) -> usize {
    ((figures.bytes_committed + figures.bytes_metadata) as usize).max(sizing::heap_bytes(figures.bytes_heap))
}

#[unsafe(no_mangle)]
extern "C" fn GC_get_memory_use() -> usize {
    stats::now().bytes_in_use as usize
}

/// # Safety
/// Each is null or can be written to.
#[unsafe(no_mangle)]
unsafe extern "C" fn GC_get_heap_usage_safe(
    heap: *mut usize,
    free: *mut usize,
    unmapped: *mut usize,
    since_collection: *mut usize,
    total: *mut usize,
) {
    let usage = Usage::now();
    let values = [
        (heap, usage.heap),
        (free, usage.free),
        (unmapped, 0),
        (since_collection, usage.since_collection),
        (total, usage.total),
    ];
    for (place, value) in values {
        if !place.is_null() {
            // SAFETY: by the caller's promise.
            unsafe { place.write(value) };
        }
    }
}

/// # Safety
/// There are `bytes` bytes at `place`.
#[unsafe(no_mangle)]
unsafe extern "C" fn GC_get_prof_stats(place: *mut c_void, bytes: usize) -> usize {
    count_frees();
    let figures = stats::now();
    let usage = Usage::now();
    let profile = Profile {
        heap_bytes: usage.heap,
        free_bytes: usage.free,
        unmapped_bytes: 0,
        bytes_since_collection: usage.since_collection,
        bytes_before_collection: usage.total - usage.since_collection,
        non_gc_bytes: GC_non_gc_bytes.load(Ordering::Relaxed),
        collections: figures.collections as usize,
        other_markers: 0,
        reclaimed_since_collection: 0,
        reclaimed_before_collection: figures.bytes_reclaimed_total as usize,
        freed_since_collection: freed_since_collection(figures.bytes_freed_total),
        obtained_bytes: obtained_bytes(&figures),
    };
    let known = bytes.min(size_of::<Profile>());
    // SAFETY: by the caller's promise; what only the caller knows is all ones.
    unsafe {
        core::ptr::write_bytes(place.cast::<u8>(), 0xff, bytes);
        core::ptr::copy_nonoverlapping((&raw const profile).cast::<u8>(), place.cast::<u8>(), known);
    }
    known
}

/// # Safety
/// As for `GC_get_prof_stats`.
#[unsafe(no_mangle)]
unsafe extern "C" fn GC_get_prof_stats_unsafe(place: *mut c_void, bytes: usize) -> usize {
    // SAFETY: by the caller's promise.
    unsafe { GC_get_prof_stats(place, bytes) }
}

/// The pauses up to where measuring began.
static MEASURED_FROM_NS: AtomicU64 = AtomicU64::new(u64::MAX);

#[unsafe(no_mangle)]
extern "C" fn GC_start_performance_measurement() {
    MEASURED_FROM_NS.store(COUNTERS.pause_total_ns.load(Ordering::Relaxed), Ordering::Relaxed);
}

/// In milliseconds.
#[unsafe(no_mangle)]
extern "C" fn GC_get_full_gc_total_time() -> c_ulong {
    let from = MEASURED_FROM_NS.load(Ordering::Relaxed);
    (COUNTERS.pause_total_ns.load(Ordering::Relaxed).saturating_sub(from) / 1_000_000) as c_ulong
}
