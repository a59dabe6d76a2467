//! Floor 4, collecting: which slots live.
//!
//! The steps of [`collect`]; `cycle` takes most of them, `timing` says when they were:
//!
//! ```text
//!   decide       is it still due? may it run?                        trigger, settings, reports
//!   loader       read its list, keep it locked (C library only)      roots
//!   stop         gates, signals, strangers, threads that ended       world, ended
//!   magazines    what they hold is free: marked, never scanned       mark
//!   kernel       what it holds of objects that were freed is dropped held, sent
//!   fibers       where their stacks are                              fibers
//!   roots        registers, stacks, static data, TLS, requests       roots, toggle, hooks
//!   mark         everything they reach                               mark, helpers, scanner, pipeline, prefetch, item, filter, displacement, share, large, ephemeron,
//!                                                                    undeclared
//!   grace        what is unreachable for the first time may stay     grace
//!   weak         short cells and links, weak words · finalizers · long cells and links · dead objects to be shown · ephemerons
//!                                                                    weak, links, weak_object, finalize, disclaim
//!   verify       unmarked slots are kept and watched, if asked for   condemned
//!   sweep        unmarked slots become free                          heap::sweep
//!   resume       everybody goes on                                   world
//!   release      pages free for long go back to the system           heap::surplus
//!   report       counters, a line, events                            stats, events
//! ```
//!
//! [`allocate`](mod@allocate) is the one slow path: the heap says "no room", it collects, asks again, and only then says out of
//! memory.

pub mod allocate;
pub mod census;
pub mod closed;
pub mod condemned;
mod cycle;
pub mod disclaim;
pub mod disguise;
pub mod displacement;
pub mod ended;
pub mod ephemeron;
pub mod events;
pub mod fibers;
pub mod filter;
pub mod finalize;
pub mod grace;
pub mod held;
pub mod helpers;
pub mod hiding;
pub mod hooks;
pub mod item;
pub mod large;
pub mod links;
pub mod mark;
pub mod message;
pub mod own_stack;
pub mod pipeline;
pub mod prefetch;
pub mod profiles;
pub mod quarantine;
pub mod recheck;
pub mod reports;
pub mod roots;
pub mod scanner;
pub mod sent;
pub mod settings;
pub mod share;
pub mod start;
pub mod stats;
pub mod table;
pub mod tables;
mod timing;
pub mod toggle;
pub mod trace;
pub mod trigger;
pub mod undeclared;
pub mod weak;
pub mod weak_object;
pub mod world;

use crate::{
    base::{
        addr::Addr,
        sync::{AtomicBool, AtomicPtr, AtomicU32, Ordering},
    },
    heap::{
        gate,
        mutator::{self, Mutator},
        pressure,
    },
    os::{log, mem, memcheck, stack, statics, thread},
};
use mark::Marker;
use roots::{Myself, Snapshot};
use settings::{FreeMode, Mode};
use share::Share;
use trigger::Trigger;
use world::Held;

/// Why a collection is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// The budget is spent. If another thread has collected meanwhile, that will do.
    Due,
    /// The heap would have to grow, and is to be collected before.
    Growth,
    /// The heap has no room, zeal wants it, or somebody asked for it.
    Forced,
}

/// What a collector needs from one cycle to the next. Guarded by the world's lock.
///
/// It is full of addresses of objects, so it must not lie in static data, which is a root: it has memory from the system.
struct Collector {
    marker: Marker,
    snapshot: Snapshot,
    trigger: Trigger,
    /// What marking cost the last time, over all markers.
    mark_cpu_ns: u64,
}

static COLLECTOR: AtomicPtr<Collector> = AtomicPtr::new(core::ptr::null_mut());

impl Collector {
    /// Makes the collector. `false` when the system refuses the memory.
    fn make() -> bool {
        let Some(share) = Share::make() else { return false };
        let Some(memory) = mem::map(size_of::<Collector>()) else { return false };
        let collector = memory.as_ptr::<Collector>();
        // SAFETY: mapped just now, large enough and page-aligned.
        unsafe {
            collector.write(Collector {
                marker: Marker::new(share),
                snapshot: Snapshot::new(),
                trigger: Trigger::new(),
                mark_cpu_ns: 0,
            })
        };
        COLLECTOR.store(collector, Ordering::Release);
        // Without one the threads' stacks have to do.
        let _ = own_stack::make();
        true
    }
}

/// Whether the engine is set up far enough to collect.
static READY: AtomicBool = AtomicBool::new(false);
/// How many calls forbid collecting.
static DISABLED: AtomicU32 = AtomicU32::new(0);

/// Forbids collections until [`enable`] has been called as often.
pub fn disable() {
    DISABLED.fetch_add(1, Ordering::Relaxed);
}

/// Takes one [`disable`] back.
pub fn enable() {
    // Calls beyond the number of `disable`s do nothing.
    let _ = DISABLED.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_sub(1));
}

/// Whether the program lets collections run now. Asked again once the world is stopped: then it has the last word of every
/// thread, and none starts after its thread has returned from forbidding it.
fn is_permitted() -> bool {
    // Relaxed: what a thread stored before it stopped is seen by who has stopped it.
    DISABLED.load(Ordering::Relaxed) == 0 && hooks::permit()
}

/// Whether a collection may run now.
pub fn is_possible() -> bool {
    READY.load(Ordering::Acquire) && is_permitted() && settings::mode() != Mode::Off && reports::may_reclaim()
}

/// Collects. `true` when a collection has run, here or on another thread since the call.
///
/// The caller is outside its gate. Finalizers and listeners are not called: the doors do that, outside all locks.
pub fn collect(cause: Cause) -> bool {
    let Some(mutator) = mutator::register() else { return false };
    // Inside the gate: a signal handler that interrupted a slow path, whose locks this thread holds.
    if !is_possible() || mutator.inside.load(Ordering::Relaxed) != 0 {
        return false;
    }
    if cause == Cause::Growth && is_done_by_another(mutator) {
        return true;
    }
    let Some(_turn) = Turn::take(mutator, cause) else { return false };
    // Every word that the program has may be read here, those that it has not written too.
    let _unchecked = memcheck::unchecked();
    let mut has_run = false;
    if roots::needs_loader() {
        statics::with_loader_locked(|| has_run = collect_with_loader_locked(mutator, cause));
    } else {
        has_run = collect_with_loader_locked(mutator, cause);
    }
    if settings::free_mode() == FreeMode::Quarantine {
        quarantine::print_reports(|| allocate::with_tables(|tables| tables.quarantine.take_report()).flatten());
    }
    if condemned::is_on() {
        condemned::print_reports();
    }
    if has_run {
        hooks::over();
    }
    has_run
}

/// The thread that collects because the budget is spent, or the heap would grow; zero: none.
static TURN: AtomicU32 = AtomicU32::new(0);

/// The right to collect because the budget is spent, or the heap would grow. Threads that find it taken soon come to closed
/// gates: there they are met sooner than in a queue for the loader's lock and ours.
struct Turn {
    /// The thread whose it is; zero: it is another's.
    tid: u32,
}

impl Turn {
    fn take(mutator: &Mutator, cause: Cause) -> Option<Turn> {
        if cause == Cause::Forced {
            return Some(Turn { tid: 0 });
        }
        let tid = mutator.tid.load(Ordering::Relaxed);
        // Relaxed: it keeps a queue short; what has to exclude another collection is the world's lock.
        let is_mine = TURN.compare_exchange(0, tid, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        // Its owner may wait for the loader, or be no more: a child of a fork has one thread.
        let may_collect = is_mine || cause == Cause::Growth || pressure::is_overdue();
        may_collect.then_some(Turn { tid: if is_mine { tid } else { 0 } })
    }
}

/// So often a thread that needs another's collection looks whether it has begun, and lets others run in between.
const LOOKS_FOR_ANOTHER: u32 = 64;

/// Whether another thread collects, or has just done so. It has closed the gates when this returns, or opened them again:
/// the caller waits there. Not for ever: that thread may be in need of the caller, which may have the loader's lock.
fn is_done_by_another(mutator: &Mutator) -> bool {
    // Relaxed, here and below: as in `Turn::take`. What another collection has done is seen by who passes the gate.
    let owner = TURN.load(Ordering::Relaxed);
    if owner == 0 || owner == mutator.tid.load(Ordering::Relaxed) {
        return false;
    }
    (0..LOOKS_FOR_ANOTHER).any(|_| {
        let is_begun = gate::is_closed() || TURN.load(Ordering::Relaxed) != owner;
        if !is_begun {
            thread::yield_now();
        }
        is_begun
    })
}

/// Whether this is not another thread's turn, as far as one can see before taking it.
pub fn may_begin(cause: Cause) -> bool {
    // Relaxed: as in `Turn::take`.
    cause == Cause::Forced || TURN.load(Ordering::Relaxed) == 0 || pressure::is_overdue()
}

impl Drop for Turn {
    fn drop(&mut self) {
        give_turn_back(self.tid);
    }
}

/// Ends the turn of thread `tid`, if it has it. Before the others go on, the collection itself does that: they would find the
/// turn taken where its owner has to wait for a processor.
fn give_turn_back(tid: u32) {
    if tid != 0 {
        // Relaxed: as in `Turn::take`.
        let _ = TURN.compare_exchange(tid, 0, Ordering::Relaxed, Ordering::Relaxed);
    }
}

fn collect_with_loader_locked(mutator: &Mutator, cause: Cause) -> bool {
    struct Call<'a> {
        mutator: &'a Mutator,
        world: Held,
        has_run: bool,
    }
    unsafe extern "C" fn run(sp: Addr, data: *mut core::ffi::c_void) {
        // SAFETY: `data` is the `Call` below, which waits for us.
        let call = unsafe { &mut *data.cast::<Call<'_>>() };
        let myself = Myself { mutator: call.mutator, sp };
        // SAFETY: made before `READY`, never given back, and the call holds the world.
        let collector = unsafe { &mut *COLLECTOR.load(Ordering::Acquire) };
        call.has_run = cycle::run(&mut call.world, collector, myself);
    }
    // Signals are blocked from here on: a handler on this thread could change the heap under the marker.
    let world = world::hold();
    let is_done = match cause {
        Cause::Due => !pressure::is_due(),
        Cause::Growth => !pressure::is_growth_due(),
        Cause::Forced => false,
    };
    if is_done {
        return true;
    }
    // Again: a reason may have come up while the world was another's.
    if !reports::may_reclaim() {
        return false;
    }
    let mut call = Call { mutator, world, has_run: false };
    let data = (&raw mut call).cast();
    match own_stack::end() {
        // SAFETY: `run` takes a pointer to a `Call`; one thread at a time has the world, and the stack with it.
        Some(end) => unsafe { stack::with_registers_spilled_elsewhere(run, data, end) },
        // SAFETY: as above.
        None => unsafe { stack::with_registers_spilled(run, data) },
    }
    call.has_run
}

/// While a thread collects, it counts as inside its gate: what asks for memory then is a panic, in a program whose panics
/// allocate, and gets emergency memory, for which no lock is taken. A panic does not get further than to its message.
struct Collecting<'a>(&'a Mutator);

impl Collecting<'_> {
    fn begin(mutator: &Mutator) -> Collecting<'_> {
        // Relaxed, here and below: nobody else asks, for nobody else can close the gates meanwhile.
        mutator.inside.store(gate::COLLECTING, Ordering::Relaxed);
        Collecting(mutator)
    }

    fn end(self) {
        self.0.inside.store(0, Ordering::Relaxed);
        core::mem::forget(self);
    }
}

impl Drop for Collecting<'_> {
    fn drop(&mut self) {
        // The heap is half marked or half swept, and all threads stand still.
        log::abort();
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::os::clock;

    #[test]
    fn who_needs_a_collection_leaves_it_to_another_but_not_for_ever() {
        let mutator = mutator::register().expect("a record");
        let (mine, anothers) = (mutator.tid.load(Ordering::Relaxed), u32::MAX / 2);
        let is_done = |owner| {
            TURN.store(owner, Ordering::Relaxed);
            is_done_by_another(mutator)
        };
        assert!(!is_done(0) && !is_done(mine), "nobody else is about to collect");
        assert!(!is_done(anothers), "another that cannot go on is waited for");
        give_turn_back(mine);
        assert_eq!(TURN.load(Ordering::Relaxed), anothers, "a turn ends that is another's");
        let (is_over, deadline) = (AtomicBool::new(false), clock::now_ns() + 20_000_000_000);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    give_turn_back(anothers);
                }
            });
            let is_seen = (0..).find_map(|_| (is_done(anothers) || clock::now_ns() > deadline).then(clock::now_ns));
            is_over.store(true, Ordering::Relaxed);
            assert!(is_seen.is_some_and(|ns| ns < deadline), "it is not seen that a turn ends");
        });
        TURN.store(0, Ordering::Relaxed);
    }
}
