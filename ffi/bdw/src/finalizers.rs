//! Finalizers.
//!
//! They are queued by collections and run by who allocates, or where the program asks for it: see `callouts.c`.

use crate::{accessors::accessors, control::settle, data::*, edge};
use core::ffi::{c_int, c_void};
use gleaner::{
    base::{
        addr::Addr,
        sync::{AtomicUsize, Ordering},
    },
    collect::{
        allocate,
        finalize::{self, Finalizer, Order, Runner},
        hooks,
        stats::COUNTERS,
    },
    heap::{Request, kind::Kind, mutator, resolve},
};

/// Sets the finalizer of an object, or takes it away when `procedure` is null, and tells which it had.
///
/// # Safety
/// `old` and `old_data` are null or can be written to.
unsafe fn register(object: *mut c_void, new: Option<Finalizer>, old: *mut *mut c_void, old_data: *mut *mut c_void) {
    if GC_find_leak.load(Ordering::Relaxed) != 0 {
        return;
    }
    settle();
    let object = Addr::of(object);
    let former = allocate::with_tables(|tables| {
        tables.finalizers.order_unreachable(GC_java_finalization.load(Ordering::Relaxed) == 0);
        tables.finalizers.get(object).filter(|former| former.runner == Runner::Libgc)
    })
    .flatten();
    match new {
        // What is not on the heap is never finalized; and without memory for the table there is nothing to be done.
        Some(finalizer) => _ = allocate::set_finalizer(object, finalizer),
        None if former.is_some() => _ = allocate::with_tables(|tables| tables.finalizers.clear(object)),
        None => {}
    }
    // SAFETY: by the caller's promise.
    unsafe {
        if !old.is_null() {
            old.write(former.map_or(0, |former| former.procedure) as *mut c_void);
        }
        if !old_data.is_null() {
            old_data.write(former.map_or(0, |former| former.data) as *mut c_void);
        }
    }
}

fn finalizer(procedure: *mut c_void, data: *mut c_void, order: Order) -> Option<Finalizer> {
    (!procedure.is_null()).then_some(Finalizer {
        procedure: procedure as usize,
        data: data as usize,
        order,
        runner: Runner::Libgc,
    })
}

macro_rules! register {
    ($($name:ident, $debug:ident: $order:expr;)*) => {$(
        /// # Safety
        /// `old` and `old_data` are null or can be written to.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(
            object: *mut c_void,
            procedure: *mut c_void,
            data: *mut c_void,
            old: *mut *mut c_void,
            old_data: *mut *mut c_void,
        ) {
            // SAFETY: by the caller's promise.
            unsafe { register(object, finalizer(procedure, data, $order), old, old_data) };
        }

        /// # Safety
        /// `old` and `old_data` are null or can be written to.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $debug(
            object: *mut c_void,
            procedure: *mut c_void,
            data: *mut c_void,
            old: *mut *mut c_void,
            old_data: *mut *mut c_void,
        ) {
            // SAFETY: by the caller's promise.
            unsafe { register_debug(object, procedure, data, $order, old, old_data) };
        }
    )*};
}

register! {
    GC_register_finalizer, GC_debug_register_finalizer: Order::Strict;
    GC_register_finalizer_ignore_self, GC_debug_register_finalizer_ignore_self: Order::Ordered;
    GC_register_finalizer_no_order, GC_debug_register_finalizer_no_order: Order::Unordered;
    GC_register_finalizer_unreachable, GC_debug_register_finalizer_unreachable: Order::Unreachable;
}

/// The finalizer of an object with a header: the program's, for the address that the program knows.
#[repr(C)]
struct Closure {
    procedure: *mut c_void,
    data: *mut c_void,
}

unsafe extern "C" {
    fn gleaner_bdw_finalize_debug(object: *mut c_void, closure: *mut c_void);
}

/// As [`register`], for an object that may have a header.
///
/// # Safety
/// As for [`register`].
unsafe fn register_debug(
    object: *mut c_void,
    procedure: *mut c_void,
    data: *mut c_void,
    order: Order,
    old: *mut *mut c_void,
    old_data: *mut *mut c_void,
) {
    let header = Addr::new((object as usize).wrapping_sub(GC_debug_header_size));
    if resolve::object_at(header).is_none() {
        // SAFETY: by the caller's promise.
        return unsafe { register(object, finalizer(procedure, data, order), old, old_data) };
    }
    let (mut closure, mut former, mut former_data) = (None, core::ptr::null_mut(), core::ptr::null_mut::<c_void>());
    if !procedure.is_null() {
        let Ok(place) = allocate::allocate(&Request::new(size_of::<Closure>(), Kind::SCANNED)) else { return };
        // SAFETY: a new object of this size.
        unsafe { place.as_ptr::<Closure>().write(Closure { procedure, data }) };
        closure = finalizer(gleaner_bdw_finalize_debug as *const () as *mut c_void, place.as_ptr(), order);
    }
    // SAFETY: both are ours.
    unsafe { register(header.as_ptr(), closure, &raw mut former, &raw mut former_data) };
    if former == gleaner_bdw_finalize_debug as *const () as *mut c_void {
        // SAFETY: a closure of ours, which the table kept.
        let Closure { procedure, data } = unsafe { former_data.cast::<Closure>().read() };
        (former, former_data) = (procedure, data);
    }
    // SAFETY: by the caller's promise.
    unsafe {
        if !old.is_null() {
            old.write(former);
        }
        if !old_data.is_null() {
            old_data.write(former_data);
        }
    }
}

/// `struct due` of `callouts.c`.
#[repr(C)]
struct Due {
    procedure: usize,
    object: usize,
    data: usize,
    guard: usize,
}

/// For the edge: the next finalizer to run on this thread. 0: there is none, or one is running.
///
/// # Safety
/// `due` can be written to, and lives until the finalizer is over.
#[unsafe(no_mangle)]
unsafe extern "C" fn gleaner_bdw_next_finalizer(due: *mut Due, frame: *const c_void, may_nest: c_int) -> c_int {
    if !finalize::are_queued(Runner::Libgc) {
        return 0;
    }
    let Some(mutator) = mutator::register() else { return 0 };
    if may_nest == 0 && mutator.finalizing.is_running(frame as usize) {
        return 0;
    }
    let Some(next) = allocate::with_tables(|tables| tables.finalizers.take_due(Runner::Libgc)).flatten() else {
        return 0;
    };
    // SAFETY: by the caller's promise.
    unsafe {
        (*due).procedure = next.finalizer.procedure;
        (*due).object = next.object;
        (*due).data = next.finalizer.data;
        mutator.finalizing.begin(&mut (*due).guard);
    }
    1
}

/// The number of the collection that the program was last notified of. Relaxed: at worst it is notified twice.
static NOTIFIED: AtomicUsize = AtomicUsize::new(0);

/// For the edge: what is to be done about finalizers after an allocation: 0 nothing, 1 they are to be run, 2 the program
/// wants to be told, and has not been since the last collection.
#[unsafe(no_mangle)]
extern "C" fn gleaner_bdw_finalizers_wanted() -> c_int {
    if !finalize::are_queued(Runner::Libgc) {
        return 0;
    }
    if GC_finalize_on_demand.load(Ordering::Relaxed) == 0 {
        return 1;
    }
    let number = COUNTERS.collections.load(Ordering::Relaxed) as usize;
    let is_news = NOTIFIED.swap(number, Ordering::Relaxed) != number;
    if is_news && !GC_finalizer_notifier.get().is_null() { 2 } else { 0 }
}

#[unsafe(no_mangle)]
extern "C" fn GC_should_invoke_finalizers() -> c_int {
    c_int::from(finalize::are_queued(Runner::Libgc))
}

/// For the edge: queues all finalizers there are: how many.
#[unsafe(no_mangle)]
extern "C" fn gleaner_bdw_queue_all() -> usize {
    allocate::with_tables(|tables| tables.finalizers.queue_all(Runner::Libgc)).unwrap_or(0)
}

edge::functions! {
    fn GC_invoke_finalizers() = gleaner_bdw_invoke_finalizers;
    fn GC_finalize_all() = gleaner_bdw_finalize_all;
}

static AWAIT: Function = Function::none();
/// Has no effect: a heap that registers many finalizers is collected when it has grown, as any other.
static BYTES_PER_FINALIZER: AtomicUsize = AtomicUsize::new(10_000);

#[unsafe(no_mangle)]
extern "C" fn GC_set_await_finalize_proc(procedure: *mut c_void) {
    AWAIT.set(procedure);
    hooks::set_queued((!procedure.is_null()).then_some(tell_queued));
}

fn tell_queued(object: Addr) {
    let procedure = AWAIT.get();
    if !procedure.is_null() {
        // SAFETY: the program set it to be called so.
        unsafe { core::mem::transmute::<*mut c_void, unsafe extern "C" fn(*mut c_void)>(procedure)(object.as_ptr()) };
    }
}

accessors! {
    GC_get_finalize_on_demand, GC_set_finalize_on_demand: c_int in GC_finalize_on_demand;
    GC_get_finalizer_notifier, GC_set_finalizer_notifier: function in GC_finalizer_notifier;
    GC_get_java_finalization, GC_set_java_finalization: c_int in GC_java_finalization;
    GC_get_await_finalize_proc, -: function in AWAIT;
    GC_get_allocd_bytes_per_finalizer, GC_set_allocd_bytes_per_finalizer: usize in BYTES_PER_FINALIZER;
}
