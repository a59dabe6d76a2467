//! The allocation lock, and the world stopped by the program.
//!
//! No allocation takes this lock. What it is for is what a program may rely on while it has it: no other thread has it,
//! and no collection clears a link. So a thread that has it is inside its gate, and a collection waits for it.

use crate::{control, data::*, edge};
use core::{
    cell::UnsafeCell,
    ffi::{c_int, c_uint},
};
use gleaner::{
    base::sync::{AtomicU32, Ordering},
    collect::world::{self, Held},
    heap::{gate, mutator},
    os::{sys, thread},
};

/// The id of the thread that has the lock, and whether others may wait for it.
static LOCK: AtomicU32 = AtomicU32::new(FREE);
const FREE: u32 = 0;
const AWAITED: u32 = 1 << 31;
/// The thread that has the lock and is inside its gate by it.
static HOLDER: AtomicU32 = AtomicU32::new(0);

#[unsafe(no_mangle)]
pub extern "C" fn GC_alloc_lock() {
    control::settle();
    let mutator = mutator::register();
    let tid = mutator.map_or_else(thread::id, |mutator| mutator.tid.load(Ordering::Relaxed));
    // Acquire, here and below: pairs with the Release of `GC_alloc_unlock`.
    if let Err(owner) = LOCK.compare_exchange(FREE, tid, Ordering::Acquire, Ordering::Relaxed) {
        wait_for_lock(tid, owner);
    }
    // Without memory for a record there is nothing of the thread's that a collection could clear.
    if let Some(inside) = mutator.and_then(gate::enter) {
        inside.hold();
        // Relaxed: only its own thread looks for itself.
        HOLDER.store(tid, Ordering::Relaxed);
    }
}

#[cold]
fn wait_for_lock(tid: u32, mut owner: u32) {
    loop {
        // Whoever has waited does not know whether others do.
        let wanted = if owner == FREE { tid | AWAITED } else { owner | AWAITED };
        match LOCK.compare_exchange(owner, wanted, Ordering::Acquire, Ordering::Relaxed) {
            Ok(FREE) => return,
            Ok(_) => sys::futex_wait(&LOCK, wanted, None),
            Err(_) => {}
        }
        owner = LOCK.load(Ordering::Relaxed);
    }
}

/// Whether the calling thread has the lock, be it at its gate yet or no longer inside: a thread that is suspended there would
/// keep all others from it.
pub fn has_lock() -> bool {
    // Relaxed: only the thread itself stores its id.
    LOCK.load(Ordering::Relaxed) & !AWAITED == thread::id()
}

/// Whether the calling thread has the lock, and is inside its gate by it.
pub fn is_mine() -> bool {
    let holder = HOLDER.load(Ordering::Relaxed);
    holder != 0 && mutator::current().is_some_and(|mutator| mutator.tid.load(Ordering::Relaxed) == holder)
}

#[unsafe(no_mangle)]
pub extern "C" fn GC_alloc_unlock() {
    if let Some(mutator) = mutator::current() {
        let tid = mutator.tid.load(Ordering::Relaxed);
        if HOLDER.compare_exchange(tid, 0, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            gate::leave_held(mutator);
        }
    }
    // Release: pairs with the Acquire of who takes it next.
    if LOCK.swap(FREE, Ordering::Release) & AWAITED != 0 {
        sys::futex_wake(&LOCK, 1);
    }
}

/// In the child of a fork: the lock is free, unless the thread has it that forked. A thread may have taken it and waited at
/// its gate, or have left that and not given it back: neither was at what it had it for.
pub fn become_child() {
    let tid = thread::id();
    // Relaxed, all: one thread runs.
    if is_mine() {
        HOLDER.store(tid, Ordering::Relaxed);
        LOCK.store(tid, Ordering::Relaxed);
    } else {
        HOLDER.store(0, Ordering::Relaxed);
        LOCK.store(FREE, Ordering::Relaxed);
    }
}

/// `GC_parallel` is how many markers beside the first there are: none that stay.
#[unsafe(no_mangle)]
extern "C" fn GC_get_parallel() -> c_int {
    GC_parallel.load(Ordering::Relaxed)
}

// As many threads mark as the heap is worth; the option `markers` is for people who know better.
#[unsafe(no_mangle)]
extern "C" fn GC_set_markers_count(_markers: c_uint) {}

#[unsafe(no_mangle)]
extern "C" fn GC_start_mark_threads() {
    control::settle();
}

edge::functions! {
    fn GC_call_with_alloc_lock() = gleaner_bdw_call_with_alloc_lock;
}

/// The hold of the world between a stop and the start after it.
static STOPPED: Stopped = Stopped(UnsafeCell::new(None));

struct Stopped(UnsafeCell<Option<Held>>);
// SAFETY: used by the thread that holds the world only.
unsafe impl Sync for Stopped {}

/// Stops all other threads until the same thread calls `GC_start_world_external`. No signal comes to it meanwhile.
#[unsafe(no_mangle)]
extern "C" fn GC_stop_world_external() {
    control::settle();
    let Some(mutator) = mutator::register() else {
        gleaner::fatal!("GC_stop_world_external: no memory for this thread's record");
    };
    let world = world::hold();
    if let Err(abandoned) = world::stop(mutator) {
        gleaner::fatal!("GC_stop_world_external: thread {} did not stop", abandoned.tid);
    }
    // SAFETY: this thread holds the world.
    unsafe { *STOPPED.0.get() = Some(world) };
}

#[unsafe(no_mangle)]
extern "C" fn GC_start_world_external() {
    // SAFETY: by the header, called by the thread that has stopped the world, which holds it.
    let world = unsafe { (*STOPPED.0.get()).take() };
    if world.is_none() {
        gleaner::fatal!("GC_start_world_external: the world was not stopped; call GC_stop_world_external first");
    }
    world::resume();
}
