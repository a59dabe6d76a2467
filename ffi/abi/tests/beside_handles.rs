//! The functions of `gleaner.h` in a Rust program that has handles too: one heap and one collector, and each door runs its
//! own finalizers by its own rules.

use gleaner::{Gc, Gleaner};
use gleaner_abi::{
    alloc::gc_malloc,
    attach::{gc_finalizer_set, gc_finalizers_run},
    engine::{self, Engine},
};
use std::{
    cell::Cell,
    ffi::c_void,
    ptr,
    sync::atomic::{AtomicUsize, Ordering},
};

#[global_allocator]
static HEAP: Gleaner = Gleaner;

static ENGINE: Engine = engine::LIBRARY;

gleaner_abi::door!(ENGINE);

thread_local! {
    static IN_MALLOC: Cell<bool> = const { Cell::new(false) };
    static IN_RUN: Cell<bool> = const { Cell::new(false) };
}

static DROPPED: AtomicUsize = AtomicUsize::new(0);
static FINALIZED: AtomicUsize = AtomicUsize::new(0);

struct Value;

impl Drop for Value {
    fn drop(&mut self) {
        assert!(!IN_MALLOC.get(), "a destructor of Rust's within gc_malloc");
        DROPPED.fetch_add(1, Ordering::Relaxed);
    }
}

extern "C" fn finalize(_: *mut c_void, _: *mut c_void) {
    assert!(!IN_RUN.get(), "a finalizer of C's among Rust's destructors");
    FINALIZED.fetch_add(1, Ordering::Relaxed);
}

fn malloc(bytes: usize) -> *mut c_void {
    IN_MALLOC.set(true);
    let object = gc_malloc(bytes);
    IN_MALLOC.set(false);
    assert!(!object.is_null());
    object
}

#[inline(never)]
fn forget() {
    for _ in 0..100 {
        Gc::with_drop(Value);
        assert_eq!(gc_finalizer_set(malloc(64), Some(finalize), ptr::null_mut(), 1), 0);
    }
}

#[test]
fn each_door_runs_its_own() {
    // SAFETY: nothing here hides an address.
    unsafe { gleaner::start() }.expect("the collector starts");
    forget();
    // Allocations collect, and run the finalizers of C's; the destructors wait.
    let before = gleaner::stats::now().collections;
    while gleaner::stats::now().collections < before + 3 {
        malloc(4096);
    }
    for _ in 0..10_000 {
        malloc(4096);
    }
    let finalized = FINALIZED.load(Ordering::Relaxed);
    assert!(finalized >= 90, "{finalized} of 100 were finalized");
    assert_eq!(DROPPED.load(Ordering::Relaxed), 0);
    assert_eq!(gc_finalizers_run(), 0, "none of its own are left");
    IN_RUN.set(true);
    let ran = gleaner::run_destructors();
    IN_RUN.set(false);
    assert!(ran >= 90 && DROPPED.load(Ordering::Relaxed) == ran, "{ran} of 100 were dropped");
}
