//! Life cycle, and collections asked for.
//!
//! The engine starts when the library is loaded; `GC_init` only takes what the program has said by then. A program need
//! not call it: its first allocation does.

use crate::{
    accessors::accessors,
    callbacks,
    data::*,
    edge, environment, leaks,
    roots::{settle_interior_pointers, settle_static_data},
    sizing,
};
use core::ffi::{c_int, c_void};
use gleaner::{
    base::sync::{AtomicBool, AtomicI32, Ordering},
    collect::{
        self, Cause,
        roots::{self, excluded},
        stats::COUNTERS,
        undeclared,
    },
    heap::{self, gate, mutator, pressure, resolve, surplus},
};
use gleaner_abi::engine::{self, Place};

static STOP: Function = Function::none();

/// What `GC_MARK_AND_PUSH` takes for an address of the heap, before it asks us: anything between the first page and the end
/// of what a program may have. The heap may grow in the middle of that.
const PLAUSIBLE: (usize, usize) = (1 << 12, 1 << 47);

/// Whether the program's settings have been taken.
static IS_INITIALIZED: AtomicBool = AtomicBool::new(false);
/// `GC_set_disable_automatic_collection`.
static ONLY_WHEN_ASKED: AtomicI32 = AtomicI32::new(0);

#[unsafe(no_mangle)]
pub extern "C" fn GC_init() {
    // Acquire and Release: what comes after sees the settings.
    if IS_INITIALIZED.swap(true, Ordering::AcqRel) {
        return;
    }
    if engine::place() == Place::Elsewhere {
        gleaner::fatal!(
            "libgc.so.1: this process has another copy of gleaner, whose heap this library would need; preload \
             libgleaner_malloc.so, which serves both, or load only one of them"
        );
    }
    // A failure shows at the first allocation, which can say so.
    let _ = heap::ensure_reserved() && mutator::register().is_some();
    // SAFETY: sets a variable of this thread's.
    unsafe { edge::gleaner_bdw_note_first_thread() };
    GC_least_plausible_heap_addr.store(PLAUSIBLE.0, Ordering::Relaxed);
    GC_greatest_plausible_heap_addr.store(PLAUSIBLE.1, Ordering::Relaxed);
    callbacks::install();
    environment::read();
    if roots::needs_loader() {
        // No other door has objects in this heap, and ours have a byte past their end where interior pointers keep them.
        resolve::have_ends_keep_nothing();
        roots::have_stacks_aligned();
        excluded::leave_sealed_out();
    } else {
        // `malloc` is on it, and of those pointers nobody has told us.
        undeclared::begin();
    }
    settle_interior_pointers();
    if GC_stackbottom.load(Ordering::Relaxed) == 0 {
        // SAFETY: a word of the loader's.
        GC_stackbottom.store(unsafe { edge::gleaner_bdw_end_of_main_stack() } as usize, Ordering::Relaxed);
    }
    settle();
}

#[unsafe(no_mangle)]
pub extern "C" fn GC_is_init_called() -> c_int {
    c_int::from(IS_INITIALIZED.load(Ordering::Relaxed))
}

#[unsafe(no_mangle)]
extern "C" fn GC_deinit() {
    IS_INITIALIZED.store(false, Ordering::Relaxed);
}

/// Has the engine do what the variables say; each slow path comes here first.
#[inline]
pub fn settle() {
    // Acquire: pairs with `GC_init`.
    if !IS_INITIALIZED.load(Ordering::Acquire) {
        GC_init();
    }
    sizing::settle();
    leaks::settle();
    settle_static_data();
    GC_gc_no.store(COUNTERS.collections.load(Ordering::Relaxed) as usize, Ordering::Relaxed);
}

/// Whether the program lets the engine collect. The engine asks each time: what threads say at the same time, and what a
/// program writes to the variable itself, counts at once.
pub fn may_collect() -> bool {
    // Relaxed, all: the engine asks again when it has stopped the threads, and what they stored before is seen then.
    // SAFETY: reads a variable of this thread's.
    let is_asked_for = || ONLY_WHEN_ASKED.load(Ordering::Relaxed) == 0 || unsafe { edge::gleaner_bdw_is_asking() } != 0;
    GC_dont_gc.load(Ordering::Relaxed) == 0 && is_asked_for()
}

#[unsafe(no_mangle)]
extern "C" fn GC_disable() {
    GC_dont_gc.fetch_add(1, Ordering::Relaxed);
}

#[unsafe(no_mangle)]
extern "C" fn GC_enable() {
    GC_dont_gc.fetch_sub(1, Ordering::Relaxed);
}

#[unsafe(no_mangle)]
extern "C" fn GC_is_disabled() -> c_int {
    c_int::from(GC_dont_gc.load(Ordering::Relaxed) != 0)
}

#[unsafe(no_mangle)]
extern "C" fn GC_get_disable_automatic_collection() -> c_int {
    ONLY_WHEN_ASKED.load(Ordering::Relaxed)
}

#[unsafe(no_mangle)]
extern "C" fn GC_set_disable_automatic_collection(value: c_int) {
    ONLY_WHEN_ASKED.store(value, Ordering::Relaxed);
}

/// Collects because the program asks for it, unless it has forbidden that; for the edge. 1 when a collection has run.
#[unsafe(no_mangle)]
extern "C" fn gleaner_bdw_collect_now() -> c_int {
    settle();
    if GC_dont_gc.load(Ordering::Relaxed) != 0 {
        return 0;
    }
    let has_run = collect::collect(Cause::Forced);
    settle();
    c_int::from(has_run)
}

/// Collects if it is time, for the edge.
#[unsafe(no_mangle)]
extern "C" fn gleaner_bdw_collect_if_due() {
    settle();
    if pressure::is_due() {
        collect::collect(Cause::Due);
    }
}

/// Gives back what the heap has too much, for the edge.
#[unsafe(no_mangle)]
extern "C" fn gleaner_bdw_release() {
    if let Some(inside) = mutator::register().and_then(gate::enter) {
        surplus::release_all(&inside);
    }
}

/// For the edge: the function that says whether a collection is to be given up, if one was set.
#[unsafe(no_mangle)]
extern "C" fn gleaner_bdw_stop_function() -> *mut c_void {
    STOP.get()
}

edge::functions! {
    fn GC_gcollect() = gleaner_bdw_gcollect;
    fn GC_gcollect_and_unmap() = gleaner_bdw_gcollect_and_unmap;
    fn GC_try_to_collect() = gleaner_bdw_try_to_collect;
    fn GC_collect_a_little() = gleaner_bdw_collect_a_little;
}

accessors! {
    GC_get_stop_func, GC_set_stop_func: function in STOP;
}
