//! What the program takes part in collections with: its start callback, its roots, and the events that it wants told.
//!
//! Events come in bdwgc's order. From `GC_EVENT_POST_STOP_WORLD` to `GC_EVENT_PRE_START_WORLD` the world is stopped.
//! None of these callbacks may throw, jump away or end its thread: there are Rust frames below, and the world may stand.

use crate::{accessors::accessors, control, data::*, lock, sizing, stats as bdw_stats};
use core::{
    ffi::{c_int, c_void},
    mem::transmute,
};
use gleaner::{
    base::sync::{AtomicUsize, Ordering},
    collect::{
        hooks::{self, Moment},
        stats,
    },
    heap::mutator,
    os::{thread, tls},
};

static START: Function = Function::none();
static COLLECTION_EVENT: Function = Function::none();
static THREAD_EVENT: Function = Function::none();

unsafe extern "C" {
    fn gleaner_bdw_push_nothing();
    fn gleaner_bdw_forget_other_threads();
}

/// From now on collections ask for what the program wants.
pub fn install() {
    hooks::set_permission(Some(control::may_collect));
    hooks::START.set(Some(start));
    hooks::PUSH.set(Some(push));
    hooks::set_moment(Some(tell));
    hooks::CHILD.set(Some(become_child));
}

/// In the child of a fork: nobody holds a lock of this door's but the thread that is left.
fn become_child() {
    lock::become_child();
    // SAFETY: one thread runs.
    unsafe { gleaner_bdw_forget_other_threads() };
}

fn start() {
    let function = START.get();
    if !function.is_null() {
        // SAFETY: the program set it to be called so.
        unsafe { transmute::<*mut c_void, unsafe extern "C" fn()>(function)() };
    }
}

/// What the program sets goes on to call what was there before, which is ours.
fn push() {
    let function = GC_push_other_roots.get();
    if !function.is_null() && function != gleaner_bdw_push_nothing as *const () as *mut c_void {
        // SAFETY: the program set it to be called so.
        unsafe { transmute::<*mut c_void, unsafe extern "C" fn()>(function)() };
    }
}

const THREAD_SUSPENDED: c_int = 10;
const THREAD_UNSUSPENDED: c_int = 11;

fn tell(moment: Moment) {
    if moment == Moment::WorldStopped {
        tell_of_threads(THREAD_SUSPENDED);
    }
    let function = COLLECTION_EVENT.get();
    if !function.is_null() {
        // SAFETY: the program set it to be called so.
        unsafe { transmute::<*mut c_void, unsafe extern "C" fn(c_int)>(function)(number_of(moment)) };
    }
    if moment == Moment::WorldResumes {
        bdw_stats::note_collection();
        tell_of_threads(THREAD_UNSUSPENDED);
    }
}

/// The number of `GC_EventType`.
fn number_of(moment: Moment) -> c_int {
    match moment {
        Moment::Started => 0,
        Moment::MarkStarts => 1,
        Moment::MarkEnded => 2,
        Moment::SweepStarts => 3,
        Moment::SweepEnded => 4,
        Moment::Ended => 5,
        Moment::WorldStops => 6,
        Moment::WorldStopped => 7,
        Moment::WorldResumes => 8,
        Moment::WorldResumed => 9,
    }
}

/// The world is stopped. A thread of the C library's is known there by the address of its control block.
fn tell_of_threads(event: c_int) {
    let function = THREAD_EVENT.get();
    if function.is_null() {
        return;
    }
    // SAFETY: the program set it to be called so.
    let function = unsafe { transmute::<*mut c_void, unsafe extern "C" fn(c_int, *mut c_void)>(function) };
    let myself = thread::id();
    for record in mutator::all().filter(|record| record.is_alive()) {
        let tid = record.tid.load(Ordering::Relaxed);
        let control_block = record.thread_pointer.load(Ordering::Relaxed);
        if tid != myself && control_block != 0 && control_block != tls::thread_pointer().get() {
            // SAFETY: as above.
            unsafe { function(event, control_block as *mut c_void) };
        }
    }
}

/// The heap's bytes that the program was told last.
static TOLD_BYTES: AtomicUsize = AtomicUsize::new(0);

/// For the edge: the heap's bytes, if they are others than the program was told last; else 0.
#[unsafe(no_mangle)]
extern "C" fn gleaner_bdw_new_heap_bytes() -> usize {
    let bytes = sizing::heap_bytes(stats::sizes().heap_bytes);
    // Relaxed: of two threads that find the same size one tells it.
    if TOLD_BYTES.swap(bytes, Ordering::Relaxed) == bytes { 0 } else { bytes }
}

accessors! {
    GC_get_start_callback, GC_set_start_callback: function in START;
    GC_get_on_collection_event, GC_set_on_collection_event: function in COLLECTION_EVENT;
    GC_get_on_thread_event, GC_set_on_thread_event: function in THREAD_EVENT;
}
