//! Procedures that see objects die.
//!
//! They run after the collection, with the world running and the allocation lock held. Of a kind for which the program has
//! asked for it, what an object leads to is there yet, and has not been shown before.

use crate::{
    control::settle,
    data::GC_debug_header_size,
    kinds::{self, pop_or_leave},
    lock, roots,
};
use core::{
    ffi::{c_int, c_void},
    sync::atomic::{AtomicI32, Ordering},
};
use gleaner::{
    base::addr::Addr,
    collect::{
        disclaim::{self, Procedure, Sight},
        hooks,
    },
};

/// Has what has died shown to the procedures of its kinds.
fn show() {
    disclaim::show(|procedure, object| {
        lock::GC_alloc_lock();
        // SAFETY: the program gave it for objects of this kind.
        let is_kept = unsafe { procedure(object.as_ptr()) } != 0;
        lock::GC_alloc_unlock();
        is_kept
    });
}

#[unsafe(no_mangle)]
extern "C" fn GC_register_disclaim_proc(kind: c_int, procedure: Option<Procedure>, from_all: c_int) {
    settle();
    hooks::OVER.set(Some(show));
    let sight = if from_all == 0 { Sight::Object } else { Sight::ParentsFirst };
    disclaim::set(kinds::of_number(kind), procedure, sight);
}

/// `struct GC_finalizer_closure`.
#[repr(C)]
struct Closure {
    procedure: unsafe extern "C" fn(*mut c_void, *mut c_void),
    data: *mut c_void,
}

/// In the word before an object: beside the address of its closure.
const HAS_CLOSURE: usize = 1;

/// The kind of objects with a closure before them; zero until it is made. Relaxed: the number is all there is.
static FINALIZED: AtomicI32 = AtomicI32::new(0);

#[unsafe(no_mangle)]
extern "C" fn GC_init_finalized_malloc() {
    settle();
    if FINALIZED.load(Ordering::Relaxed) == 0 {
        // What the program knows is a word behind the start; and the closure is known by an address with the mark.
        [size_of::<usize>(), HAS_CLOSURE, GC_debug_header_size + HAS_CLOSURE]
            .into_iter()
            .for_each(|bytes| roots::GC_register_displacement(bytes));
        let kind = kinds::make(0, true, true);
        GC_register_disclaim_proc(kind, Some(finalize), 1);
        FINALIZED.store(kind, Ordering::Relaxed);
    }
}

unsafe extern "C" fn finalize(object: *mut c_void) -> c_int {
    let object = Addr::of(object);
    // SAFETY: an object of this kind: its first word is zero, or what `GC_finalized_malloc` has put there.
    unsafe {
        let word = object.as_ptr::<usize>().read();
        if word & HAS_CLOSURE != 0 {
            let closure = &*((word & !HAS_CLOSURE) as *const Closure);
            (closure.procedure)((object + size_of::<usize>()).as_ptr(), closure.data);
        }
    }
    0
}

/// # Safety
/// `closure` stays as it is, or is kept by the object.
#[unsafe(no_mangle)]
unsafe extern "C" fn GC_finalized_malloc(bytes: usize, closure: *const c_void) -> *mut c_void {
    GC_init_finalized_malloc();
    let Some(bytes) = bytes.checked_add(size_of::<usize>()) else { return core::ptr::null_mut() };
    let object = pop_or_leave(bytes, kinds::of_number(FINALIZED.load(Ordering::Relaxed)));
    if object.is_null() {
        return object;
    }
    // SAFETY: a new object of more than a word.
    unsafe {
        object.cast::<usize>().write(closure as usize | HAS_CLOSURE);
        object.cast::<usize>().add(1).cast()
    }
}
