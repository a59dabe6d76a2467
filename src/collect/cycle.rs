//! One collection, step by step; the table is at the head of [`collect`](super).
//!
//! Holds: from the stop to the resume no other thread runs, and nothing here asks for memory of the heap.

use super::{
    Collecting, Collector, condemned, give_turn_back, grace, helpers, hooks, is_permitted,
    mark::{Marker, Pushed},
    quarantine,
    recheck::{Disagreement, Recheck},
    roots::{self, Myself, Snapshot},
    settings::{self, FreeMode, Mode},
    start,
    stats::COUNTERS,
    tables::{TABLES, Tables},
    timing::{self, GivenUp, Times},
    trigger::{self, Outcome},
    weak::WeakKind,
    world::{self, World},
};
use crate::{
    base::sync::Ordering,
    heap::{
        cage::{CAGE, Cage},
        fast, gate,
        mutator::{self, Mutator},
        pressure, refill, surplus,
        sweep::{self, Swept},
        verify,
    },
    os::{clock, cpus, mem},
};

/// One collection. `false` when the world could not be stopped, its roots not be found, or the program has forbidden it
/// meanwhile: nothing has changed then.
///
/// A function of its own in every library: where it lies shows how the code is laid out.
#[inline(never)]
pub fn run(world: &mut World, collector: &mut Collector, myself: Myself<'_>) -> bool {
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
    if times.has_begun {
        hooks::end();
    }
    match result {
        Ok(swept) => {
            collector.marker.release();
            release(myself.mutator);
            timing::report(myself.mutator, &swept, &times, collector.snapshot.bytes, collector.marker.markers());
            true
        }
        Err(reason) => timing::give_up(myself.mutator, reason),
    }
}

/// From the loader's list to the moment when everybody goes on.
fn stop_and_collect(collector: &mut Collector, myself: Myself<'_>, times: &mut Times) -> Result<Swept, GivenUp> {
    let Collector { marker, snapshot, trigger, mark_cpu_ns } = collector;
    let spent = pressure::spent().max(0) as u64;
    let live = COUNTERS.live_bytes_last.load(Ordering::Relaxed);
    let markers = helpers::markers_wanted(*mark_cpu_ns, !roots::needs_loader());
    marker.prepare(live, settings::mark_stack_objects(), markers);
    if marker.scanner.ephemerons.reserve().is_err() || snapshot.read_loader().is_err() {
        return Err(GivenUp::UNKNOWN);
    }
    times.has_begun = true;
    hooks::begin();
    stop_world(myself.mutator).inspect_err(|_| hooks::push_nowhere())?;
    hooks::stopped();
    times.stopped_ns = clock::now_ns();
    let mut tables = TABLES.lock();
    let swept = mark_and_sweep(marker, snapshot, &mut tables, myself, times);
    marker.end();
    snapshot.close();
    let finalizers = tables.finalizers.census();
    drop(tables);
    if let Ok(swept) = swept {
        times.swept_ns = clock::now_ns();
        let outcome = Outcome {
            spent,
            swept,
            hole_bytes: marker.hole_bytes(),
            root_bytes: snapshot.bytes,
            held_bytes: CAGE.lock().as_ref().map_or(0, Cage::held_bytes) as u64,
            busy_threads: trigger::count_busy_threads(COUNTERS.collections.load(Ordering::Relaxed) + 1),
            finalizers,
            start_ns: times.start_ns,
            end_ns: times.swept_ns,
            thread_ns: clock::thread_ns().saturating_sub(times.start_thread_ns),
        };
        // Much may have been marked before the last root was read.
        marker.note(times.marked_ns - times.stopped_ns, outcome.swept.live_objects);
        *mark_cpu_ns = (times.marked_ns - times.rooted_ns) * marker.markers() as u64;
        pressure::restart(&trigger.next_budget(&outcome));
        refill::serve_refused();
    }
    hooks::resuming();
    give_turn_back(myself.mutator.tid.load(Ordering::Relaxed));
    times.resume(world::resume);
    swept.map_err(|roots::Unknown| GivenUp::UNKNOWN)
}

/// Stops the world, unless a thread turns out to have forbidden collections before it was stopped.
fn stop_world(myself: &Mutator) -> Result<(), GivenUp> {
    world::stop(myself).map_err(GivenUp::Abandoned)?;
    if is_permitted() {
        return Ok(());
    }
    world::resume();
    Err(GivenUp::Forbidden)
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
    refill::set_much_shared(mutator::count_alive() > 2 * cpus::usable());
    let mut swept = sweep::sweep(mode);
    tables.condemned.correct(&mut swept);
    if settings::verify() {
        check(snapshot);
    }
    Ok(swept)
}

/// Lets what the heap and the roots are found by be judged.
#[cold]
#[inline(never)]
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
#[cold]
#[inline(never)]
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

fn release(mutator: &Mutator) {
    if let Some(inside) = gate::enter(mutator) {
        surplus::look(&inside);
    }
}
