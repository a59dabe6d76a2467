//! Starting the engine, and what a fork does to it.
//!
//! A server that forks for each connection pays for each page that either process then writes, a copy, and for each piece
//! of sixteen pages of code that the child runs. So what lies on that way lies together: functions in `.text.hot`, and
//! small statics apart from large tables, which are in `.bss.tables`, where only the pages that are used take memory, and in
//! `.tables` if they do not start as zero. A lock that is free is not written to be free.

use super::{
    Collector, READY, disclaim, events, hooks, pressure, profiles,
    reports::{self, Reason},
    roots, settings,
    tables::TABLES,
    trigger::Trigger,
    world::{self, Held, World},
};
use crate::{
    base::sync::{AtomicU32, Ordering},
    heap::{
        self,
        cage::CAGE,
        gate,
        mutator::{self, Mutator},
        refill, zeal,
    },
    os::{filter, maps, mem, statics, sys, thread},
};
use core::cell::UnsafeCell;

/// What a door tells the engine about the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Door {
    /// Only objects of `gleaner.h` are on the heap.
    Library,
    /// `malloc` is ours: every mapping of the program may hold pointers.
    Malloc,
}

/// How far starting has come: [`NOT_YET`], the id of the process in which a thread is at it, or [`DONE`].
static STARTED: AtomicU32 = AtomicU32::new(NOT_YET);
const NOT_YET: u32 = 0;
const DONE: u32 = u32::MAX;

/// Whether the caller is the one to start. If so it says when that [`is_done`].
fn is_first() -> bool {
    // Acquire: pairs with `is_done`.
    STARTED.compare_exchange(NOT_YET, sys::process_id(), Ordering::Acquire, Ordering::Acquire).is_ok()
}

fn is_done() {
    // Release: whoever sees it sees what was set up.
    STARTED.store(DONE, Ordering::Release);
    sys::futex_wake(&STARTED, i32::MAX as u32);
}

/// Whether the engine can collect, after another thread that may be starting it has come to an end. A child of a fork does
/// not wait for a thread that it does not have.
pub fn is_ready_after_all() -> bool {
    // Acquire: pairs with `is_done`.
    while STARTED.load(Ordering::Acquire) == sys::process_id() {
        sys::futex_wait(&STARTED, sys::process_id(), None);
    }
    READY.load(Ordering::Acquire)
}

/// The hold of the world that a fork has, from before it to after it in either process.
static FORKING: ForkingCell = ForkingCell(UnsafeCell::new(None));

struct ForkingCell(UnsafeCell<Option<Held>>);
// SAFETY: used by the forking thread only, while it holds the world.
unsafe impl Sync for ForkingCell {}

/// Sets the engine up, once: `false` when that has failed, or is not yet over, by a caller further up or another thread.
/// Until then the heap works, and nothing is collected.
///
/// Called from the library's constructor, or where a program asks for it: best while one thread runs, or few.
///
/// # Safety
/// The caller vouches for the program: what it still uses of the heap can be found from what the door makes roots.
pub unsafe fn start(door: Door) -> bool {
    if !is_first() {
        return READY.load(Ordering::Acquire);
    }
    if door == Door::Malloc {
        roots::mappings::make_roots();
    }
    look_over_mappings(door);
    if filter::is_there() && filter::ends_collectors() {
        reports::stop_reclaiming(Reason::Filter);
        filter::become_strict();
        let is_up = set_heap_up();
        is_done();
        return is_up;
    }
    let is_up = set_heap_up();
    if zeal::is_slow_path_only() {
        forget_loaders_magazines();
    }
    let ready = is_up && Collector::make() && world::choose_signal(settings::signal());
    if ready {
        pressure::restart(&Trigger::first_budget(0));
    }
    READY.store(ready, Ordering::Release);
    is_done();
    ready
}

/// What is learned from the list of mappings before there are threads.
fn look_over_mappings(door: Door) {
    maps::for_each(|mapping| {
        roots::note_main_thread(&mapping);
        if door == Door::Malloc {
            // Nothing has been collected.
            let _ = profiles::is_news(&mapping);
        }
    });
}

/// The loader has used the heap before the options were read: what it has left in magazines would be handed out and taken
/// back past the slow path.
fn forget_loaders_magazines() {
    if let Some(inside) = mutator::register().and_then(gate::enter) {
        // The loader frees nothing twice.
        let _ = refill::empty_all(&inside);
    }
}

/// Sets up what a heap needs that is never collected: no signal is claimed. Instead of [`start`], which then does nothing.
pub fn start_without_collecting() -> bool {
    if !is_first() {
        return true;
    }
    let is_up = set_heap_up();
    is_done();
    is_up
}

/// How far the heap is set up: [`NOT_YET`], the id of the process in which a thread is at it, [`DONE`] or [`REFUSED`].
static HEAP: AtomicU32 = AtomicU32::new(NOT_YET);
const REFUSED: u32 = u32::MAX - 1;

/// Sets up what every heap needs that outlives a fork, once, whether it is going to be collected, may be, or never is.
///
/// `false`: the system has refused it, or a fork has cut it off. It is a heap all the same, but its gates do not close
/// for a fork, and a thread that begins gives up no records of those that have ended.
#[cold]
#[unsafe(link_section = ".text.hot")]
pub fn set_heap_up() -> bool {
    let process = sys::process_id();
    loop {
        // Acquire: pairs with the Release below.
        match HEAP.compare_exchange(NOT_YET, process, Ordering::Acquire, Ordering::Acquire) {
            Ok(_) => {
                let state = if try_to_set_heap_up() { DONE } else { REFUSED };
                // Release: who finds it done sees what was done.
                HEAP.store(state, Ordering::Release);
                return state == DONE;
            }
            Err(at_it) if at_it == process => thread::yield_now(),
            Err(state) => return state == DONE,
        }
    }
}

fn try_to_set_heap_up() -> bool {
    if !heap::ensure_reserved() {
        return false;
    }
    thread::barrier_init();
    let Some(_) = mutator::register() else { return false };
    world::hold().follow_process();
    // SAFETY: the three functions stay loaded: doors are linked with `-z nodelete`.
    let survives_fork = unsafe { sys::at_fork(before_fork, after_fork_in_parent, after_fork_in_child) };
    survives_fork && mem::mark_as_own()
}

/// Closes the gates, so that no lock of ours is held and no bitmap half changed in the child.
#[unsafe(link_section = ".text.hot")]
unsafe extern "C" fn before_fork() {
    statics::begin_fork();
    let Some(mutator) = mutator::register() else { return };
    let held = world::hold();
    if world::close_gates(mutator).is_ok() {
        // SAFETY: this thread holds the world.
        unsafe { *FORKING.0.get() = Some(held) };
    }
}

#[unsafe(link_section = ".text.hot")]
unsafe extern "C" fn after_fork_in_parent() {
    statics::end_fork();
    // SAFETY: set by this thread in `before_fork`, or nobody has set it.
    if let Some(held) = unsafe { (*FORKING.0.get()).take() } {
        gate::open();
        drop(held);
    }
}

#[unsafe(link_section = ".text.hot")]
unsafe extern "C" fn after_fork_in_child() {
    statics::end_fork_in_child();
    let Some(mutator) = mutator::current() else { return };
    // SAFETY: as in the parent; one thread runs here.
    let Some(mut held) = (unsafe { (*FORKING.0.get()).take() }) else {
        // A gate did not open in time.
        reports::stop_reclaiming(Reason::HalfForked);
        return;
    };
    // SAFETY: the child has this thread only, and nobody was inside a gate.
    unsafe { become_child(&mut held, mutator) };
    gate::open();
    drop(held);
}

/// Makes the engine right in a child process: the calling thread is the only one.
///
/// # Safety
/// Called in a child process by its only thread; nobody was inside a gate at the fork.
#[unsafe(link_section = ".text.hot")]
pub(super) unsafe fn become_child(world: &mut World, mutator: &Mutator) {
    world.follow_process();
    super::TURN.store(0, Ordering::Relaxed);
    hooks::child();
    // The loader's lock may have been held at the fork, by this thread in a callback or by one that is not here: the
    // kernel's list needs no lock, and has more.
    roots::mappings::make_roots();
    // The page is there already: marking it again cannot fail.
    let _ = mem::mark_as_own();
    // SAFETY: one thread runs; locks that were held at the fork were held by threads that do not exist here.
    unsafe {
        TABLES.reset();
        TABLES.lock().held.become_child();
        disclaim::become_child(&mut TABLES.lock().dead);
        mutator::reset_after_fork();
        CAGE.reset();
        mem::reset_after_fork();
        events::reset_after_fork();
        world::become_child(mutator);
    }
}
