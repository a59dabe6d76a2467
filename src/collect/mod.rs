//! Floor 4, collecting: which slots live.
//!
//! [`collect`] is the table of contents:
//!
//! ```text
//!   decide       is it still due? may it run?                        trigger, settings, reports
//!   loader       read its list, keep it locked (C library only)      roots
//!   stop         gates, signals, strangers, threads that ended       world, ended
//!   magazines    what they hold is free: marked, never scanned       mark
//!   kernel       what it holds of objects that were freed is dropped held, sent
//!   fibers       where their stacks are                              fibers
//!   roots        registers, stacks, static data, TLS, requests       roots, toggle, hooks
//!   mark         everything they reach                               mark, helpers, scanner, pipeline, prefetch, item, filter, displacement, share, large, ephemeron
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
pub mod toggle;
pub mod trace;
pub mod trigger;
pub mod weak;
pub mod weak_object;
pub mod world;

use crate::{
    base::{
        addr::Addr,
        sync::{AtomicBool, AtomicPtr, AtomicU32, Ordering},
    },
    heap::{
        fast, gate,
        mutator::{self, Mutator},
        pressure, surplus,
        sweep::{self, Swept},
        verify,
    },
    os::{clock, log, mem, memcheck, stack, statics},
};
use events::{Event, Step};
use mark::{Marker, Pushed};
use recheck::{Disagreement, Recheck};
use roots::{Myself, Snapshot};
use settings::{FreeMode, Mode};
use share::Share;
use stats::{COUNTERS, Counters};
use tables::{TABLES, Tables};
use trigger::{Outcome, Trigger};
use weak::WeakKind;
use world::{Held, World};

/// Why a collection is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// The budget is spent. If another thread has collected meanwhile, that will do.
    Due,
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

/// Whether a collection may run now.
pub fn is_possible() -> bool {
    READY.load(Ordering::Acquire)
        && DISABLED.load(Ordering::Relaxed) == 0
        && settings::mode() != Mode::Off
        && reports::may_reclaim()
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

/// The thread that collects because the budget is spent; zero: none.
static TURN: AtomicU32 = AtomicU32::new(0);

/// The right to collect because the budget is spent. Threads that find it taken go on, and soon come to closed gates:
/// there they are met sooner than in a queue for the loader's lock and ours.
struct Turn {
    is_mine: bool,
}

impl Turn {
    fn take(mutator: &Mutator, cause: Cause) -> Option<Turn> {
        if cause == Cause::Forced {
            return Some(Turn { is_mine: false });
        }
        let tid = mutator.tid.load(Ordering::Relaxed);
        // Relaxed: it keeps a queue short; what has to exclude another collection is the world's lock.
        let is_mine = TURN.compare_exchange(0, tid, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        // Its owner may wait for the loader, or be no more: a child of a fork has one thread.
        (is_mine || pressure::is_overdue()).then_some(Turn { is_mine })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.is_mine {
            TURN.store(0, Ordering::Relaxed);
        }
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
        call.has_run = cycle(&mut call.world, collector, myself);
    }
    // Signals are blocked from here on: a handler on this thread could change the heap under the marker.
    let world = world::hold();
    if cause == Cause::Due && !pressure::is_due() {
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

/// One collection. `false` when the world could not be stopped or its roots not be found: nothing has changed then.
fn cycle(world: &mut World, collector: &mut Collector, myself: Myself<'_>) -> bool {
    if !world.is_ours() {
        if !mem::is_unmarked_copy() {
            // A `vfork` child in its parent's memory: what stands still here runs there.
            return false;
        }
        // SAFETY: a child that forked past our handlers has one thread, this one, and it is in no gate.
        unsafe { start::become_child(world, myself.mutator) };
    }
    let mut times = Times::start();
    let collecting = Collecting::begin(myself.mutator);
    let result = stop_and_collect(collector, myself, &mut times);
    collecting.end();
    times.resumed_ns = clock::now_ns();
    if times.has_begun {
        hooks::end();
    }
    match result {
        Ok(swept) => {
            collector.marker.release();
            release(myself.mutator);
            report(myself.mutator, &swept, &times, collector.snapshot.bytes, collector.marker.markers());
            true
        }
        Err(abandoned) => give_up(myself.mutator, abandoned),
    }
}

/// From the loader's list to the moment when everybody goes on.
fn stop_and_collect(
    collector: &mut Collector,
    myself: Myself<'_>,
    times: &mut Times,
) -> Result<Swept, world::Abandoned> {
    let Collector { marker, snapshot, trigger, mark_cpu_ns } = collector;
    let spent = pressure::spent().max(0) as u64;
    let live = COUNTERS.live_bytes_last.load(Ordering::Relaxed);
    let markers = helpers::markers_wanted(*mark_cpu_ns, !roots::needs_loader());
    marker.prepare(live, settings::mark_stack_objects(), markers);
    if marker.scanner.ephemerons.reserve().is_err() || snapshot.read_loader().is_err() {
        return Err(world::Abandoned { tid: 0 });
    }
    times.has_begun = true;
    hooks::begin();
    world::stop(myself.mutator).inspect_err(|_| hooks::push_nowhere())?;
    hooks::stopped();
    times.stopped_ns = clock::now_ns();
    let mut tables = TABLES.lock();
    let swept = mark_and_sweep(marker, snapshot, &mut tables, myself, times);
    marker.end();
    snapshot.close();
    drop(tables);
    if let Ok(swept) = swept {
        times.swept_ns = clock::now_ns();
        let outcome = Outcome {
            spent,
            swept,
            hole_bytes: marker.hole_bytes(),
            root_bytes: snapshot.bytes,
            start_ns: times.start_ns,
            end_ns: times.swept_ns,
        };
        *mark_cpu_ns = (times.marked_ns - times.rooted_ns) * marker.markers() as u64;
        pressure::restart(&trigger.next_budget(&outcome));
    }
    hooks::resuming();
    world::resume();
    swept.map_err(|roots::Unknown| world::Abandoned { tid: 0 })
}

/// The part of a collection with the world stopped.
fn mark_and_sweep(
    marker: &mut Marker,
    snapshot: &mut Snapshot,
    tables: &mut Tables,
    myself: Myself<'_>,
    times: &mut Times,
) -> Result<Swept, roots::Unknown> {
    roots::forget_reused_control_blocks(tables);
    marker.begin();
    mark_magazines(marker);
    tables.held.clear_up();
    tables.sent.clear_up(myself.mutator);
    tables.condemned.begin(&mut tables.pins, marker);
    tables.toggles.ask();
    if let Err(unknown) = mark_fibers(marker, snapshot).and_then(|()| mark_roots(marker, snapshot, tables, myself)) {
        hooks::push_nowhere();
        marker.drain();
        sweep::sweep(sweep::Mode::Count);
        return Err(unknown);
    }
    times.rooted_ns = clock::now_ns();
    marker.drain_with_helpers();
    if settings::recheck() {
        recheck(marker, snapshot, tables, myself);
    }
    times.marked_ns = clock::now_ns();
    if grace::is_on() {
        grace::keep_young();
    }
    settle_weak(marker, tables);
    times.settled_ns = clock::now_ns();
    if settings::free_mode() == FreeMode::Quarantine {
        quarantine::inspect(tables, snapshot, myself);
    }
    if condemned::is_on() {
        tables.condemned.condemn();
    }
    let mode = match settings::mode() {
        Mode::On | Mode::Verify => sweep::Mode::Reclaim,
        Mode::Report | Mode::Off => sweep::Mode::Count,
    };
    let mut swept = sweep::sweep(mode);
    tables.condemned.correct(&mut swept);
    if settings::verify() {
        check(snapshot);
    }
    Ok(swept)
}

/// Lets what the heap and the roots are found by be judged.
fn check(snapshot: &Snapshot) {
    let number = COUNTERS.collections.load(Ordering::Relaxed) + 1;
    if let Err(fault) = verify::check() {
        crate::fatal!(
            "verify: after collection {number}: the heap's records are wrong: {fault:x?}; look for writes to wild \
             addresses, else report a defect"
        );
    }
    if let Err(fault) = snapshot.check() {
        crate::fatal!(
            "verify: after collection {number}: the lists of roots are wrong: {fault:x?}; look for writes to wild \
             addresses, else report a defect"
        );
    }
}

fn mark_magazines(marker: &mut Marker) {
    for record in mutator::all() {
        // SAFETY: every owner is stopped, gone, or ourselves outside any magazine operation.
        unsafe { record.for_each_cached(|_, slots| marker.mark_cached(slots)) };
    }
}

/// Objects that are the stacks of fibers are not scanned: what of them is used is, with the fibers.
fn mark_fibers(marker: &mut Marker, snapshot: &mut Snapshot) -> Result<(), roots::Unknown> {
    snapshot.fibers.list()?;
    snapshot.fibers.for_each_object(|slot, _| marker.mark_cached(&[slot.start().get()]));
    Ok(())
}

fn mark_roots(
    marker: &mut Marker,
    snapshot: &mut Snapshot,
    tables: &Tables,
    myself: Myself<'_>,
) -> Result<(), roots::Unknown> {
    // SAFETY: the ranges may be read while the world is stopped.
    snapshot.for_each(myself, tables, &mut |source, range| unsafe { marker.root_range(source, range) })?;
    roots::for_each_uncollectable(|slot| marker.root_object(&slot));
    hooks::push(&mut Pushed(marker));
    Ok(())
}

/// Lets the second marker judge the first.
fn recheck(marker: &mut Marker, snapshot: &mut Snapshot, tables: &Tables, myself: Myself<'_>) {
    let Ok(mut recheck) = Recheck::new(marker.cached()) else {
        crate::fatal!("recheck: no memory for its bitmap; run it with a smaller heap");
    };
    // The first enumeration succeeded and nothing has moved since.
    snapshot.doubt();
    let _ = snapshot.for_each(myself, tables, &mut |source, range| recheck.root(source, range));
    hooks::push(&mut recheck);
    sweep::for_each_allocated_word(
        |class| class.kind().traits().is_uncollectable(),
        |class, unit, index, allocated| {
            sweep::for_each_slot(class, unit, index, allocated, |start| recheck.root_object(start));
        },
    );
    match recheck.judge() {
        None => {}
        Some(Disagreement::Lost { object, parent }) => crate::fatal!(
            "recheck: {:#x} is reachable from {:#x} and was not marked; it would have been lost",
            object.get(),
            parent.get()
        ),
        Some(Disagreement::Kept { object }) => {
            crate::fatal!("recheck: {:#x} was marked and nothing reaches it; it would have been kept", object.get())
        }
    }
}

/// Weak cells and links, finalizers, dead objects to be shown and ephemerons, in the order that makes each right.
fn settle_weak(marker: &mut Marker, tables: &mut Tables) {
    let mut cleared = clear_unmarked(tables, WeakKind::Short);
    cleared += marker.scanner.weak_words.clear_dead_words();
    tables.finalizers.queue_unreachable(marker);
    if !tables.links.is_empty() {
        tables.links.forget_dead(WeakKind::Short);
    }
    cleared += clear_unmarked(tables, WeakKind::Long);
    if !tables.links.is_empty() {
        tables.links.forget_dead(WeakKind::Long);
    }
    tables.toggles.forget_dead();
    if fast::forget_attached() {
        tables.note_attached();
    }
    hooks::settled();
    if settings::mode() != Mode::Report {
        tables.dead.gather(marker);
    }
    // Those that only finalizers' objects reach, or those to be shown.
    cleared += marker.scanner.weak_words.clear_dead_words();
    cleared += marker.scanner.ephemerons.clear_dead();
    tables.weak_cleared += cleared;
}

fn clear_unmarked(tables: &mut Tables, kind: WeakKind) -> u64 {
    let mut cleared = 0;
    if !tables.weak.is_empty() {
        cleared += tables.weak.clear_unmarked(kind);
    }
    if !tables.links.is_empty() {
        cleared += tables.links.clear_unmarked(kind);
    }
    cleared
}

/// The times of a collection's steps.
#[derive(Clone, Copy, Default)]
struct Times {
    /// Whether hooks have been told that a collection begins.
    has_begun: bool,
    start_ns: u64,
    stopped_ns: u64,
    rooted_ns: u64,
    marked_ns: u64,
    settled_ns: u64,
    swept_ns: u64,
    resumed_ns: u64,
}

impl Times {
    fn start() -> Times {
        Times { start_ns: clock::now_ns(), ..Times::default() }
    }
}

fn give_up(mutator: &Mutator, abandoned: world::Abandoned) -> bool {
    Counters::add(&COUNTERS.stops_abandoned, 1);
    mutator.silent_thread.store(abandoned.tid, Ordering::Relaxed);
    // Try again after as much has been handed out as now.
    pressure::restart(&Trigger::first_budget(pressure::spent().max(0) as usize));
    if settings::verbose() {
        match abandoned.tid {
            0 => log::print(format_args!(
                "gleaner: a collection was given up: the system does not show this process's threads or memory (/proc); \
                 nothing was reclaimed"
            )),
            tid => log::print(format_args!(
                "gleaner: a collection was given up: thread {tid} did not stop; nothing was reclaimed"
            )),
        }
    }
    false
}

fn release(mutator: &Mutator) {
    if let Some(inside) = gate::enter(mutator) {
        surplus::look(&inside);
    }
}

fn report(mutator: &Mutator, swept: &Swept, times: &Times, root_bytes: u64, markers: usize) {
    let pause = times.resumed_ns - times.start_ns;
    COUNTERS.note(swept, pause, times.marked_ns - times.rooted_ns, times.swept_ns - times.settled_ns);
    COUNTERS.root_bytes_last.store(root_bytes, Ordering::Relaxed);
    let number = COUNTERS.collections.load(Ordering::Relaxed);
    let Some(_inside) = gate::enter(mutator) else { return };
    note_events(mutator, swept, times, number);
    if settings::trace() {
        let released_ns = clock::now_ns();
        let micros = |from: u64, to: u64| to.saturating_sub(from) / 1000;
        log::print(format_args!(
            "gleaner: gc={number} pause_us={} stop_us={} roots_us={} mark_us={} markers={markers} weak_us={} sweep_us={} release_us={} \
             live_bytes={} live_objects={} reclaimed_bytes={} heap_bytes={} root_bytes={root_bytes} threads={} abandoned={}",
            micros(times.start_ns, times.resumed_ns),
            micros(times.start_ns, times.stopped_ns),
            micros(times.stopped_ns, times.rooted_ns),
            micros(times.rooted_ns, times.marked_ns),
            micros(times.marked_ns, times.settled_ns),
            micros(times.settled_ns, times.swept_ns),
            micros(times.resumed_ns, released_ns),
            swept.live_bytes,
            swept.live_objects,
            swept.reclaimed_bytes,
            stats::sizes().heap_bytes,
            mutator::count_alive(),
            COUNTERS.stops_abandoned.load(Ordering::Relaxed),
        ));
    }
}

fn note_events(mutator: &Mutator, swept: &Swept, times: &Times, number: u64) {
    let event = |step: Step, time_ns: u64, before_ns: u64| {
        let is_marked = !matches!(step, Step::Start | Step::Stop);
        let is_swept = matches!(step, Step::SweepEnd | Step::Resume);
        Event {
            step,
            collection: number,
            time_ns,
            duration_ns: time_ns - before_ns,
            live_bytes: if is_marked { swept.live_bytes } else { 0 },
            reclaimed_bytes: if is_swept { swept.reclaimed_bytes } else { 0 },
        }
    };
    events::note(
        mutator.tid.load(Ordering::Relaxed),
        &[
            event(Step::Start, times.start_ns, times.start_ns),
            event(Step::Stop, times.stopped_ns, times.start_ns),
            event(Step::MarkEnd, times.settled_ns, times.stopped_ns),
            event(Step::SweepEnd, times.swept_ns, times.settled_ns),
            event(Step::Resume, times.resumed_ns, times.swept_ns),
        ],
    );
}
