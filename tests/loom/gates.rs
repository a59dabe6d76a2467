//! Gates and safe regions: who is in a slow path and who has stopped the world exclude each other, and nobody sleeps on.
//!
//! A collector closes the gates, waits, touches what threads touch, and opens them, as `collect::world` does but for
//! the signal. In its place a thread says at its end that it stands still.

use super::{Model, Unnoticed, check, join, record, start};
use gleaner::{
    base::{
        addr::Addr,
        model::{Access, Fault},
        sync::Ordering,
    },
    heap::{gate, mutator::Mutator, region},
    os,
};
use loom::cell::UnsafeCell;
use std::sync::Arc;

const COLLECTOR: u32 = 3;
/// The collector of a model sleeps until it is woken.
const FOR_EVER: u64 = u64::MAX;

/// What only its owner touches, or the collector while the owner stands still.
struct Place(UnsafeCell<u32>);

// SAFETY: loom watches every access.
unsafe impl Sync for Place {}
// SAFETY: as above.
unsafe impl Send for Place {}

impl Place {
    fn new() -> Arc<Place> {
        Arc::new(Place(UnsafeCell::new(0)))
    }

    fn touch(&self) {
        // SAFETY: loom watches the access.
        self.0.with_mut(|value| unsafe { *value += 1 });
    }
}

fn slow_path(mutator: &Mutator, heap: &Place) {
    let inside = gate::enter(mutator).expect("no handler runs");
    heap.touch();
    drop(inside);
}

fn stands_still(mutator: &Mutator) {
    mutator.stopped.store(1, Ordering::Release);
    gate::announce();
}

/// Closes the gates for a stop, and waits until all threads are outside.
fn close(others: &[&Mutator]) {
    gate::begin_closing(COLLECTOR);
    gate::finish_closing();
    while !gate::look_or_sleep(FOR_EVER, || others.iter().all(|other| gate::is_outside(other))) {}
}

/// Waits until all threads stand still.
fn stop(others: &[&Mutator]) {
    let has_stopped = |other: &&Mutator| other.stopped.load(Ordering::Acquire) == 1 || gate::is_in_region(other);
    while !gate::look_or_sleep(FOR_EVER, || others.iter().all(has_stopped)) {}
}

/// A thread in a slow path, which waits in a safe region where it has to, and a collector that stops it.
fn slow_path_and_stop() {
    let thread = record(1);
    let (heap, stack) = (Place::new(), Place::new());
    let collector = start(COLLECTOR, {
        let (heap, stack) = (heap.clone(), stack.clone());
        move || {
            close(&[thread]);
            heap.touch();
            stop(&[thread]);
            stack.touch();
            gate::open();
        }
    });
    let running = start(1, move || {
        stack.touch();
        slow_path(thread, &heap);
        stack.touch();
        stands_still(thread);
    });
    join([collector, running]);
}

/// As above, by a collector that needs no barrier if the thread has come to its gate by itself.
fn slow_path_and_stop_without_barrier() {
    let thread = record(1);
    let (heap, stack) = (Place::new(), Place::new());
    let collector = start(COLLECTOR, {
        let (heap, stack) = (heap.clone(), stack.clone());
        move || {
            gate::begin_closing(COLLECTOR);
            if !gate::has_come(thread) {
                gate::finish_closing();
                while !gate::look_or_sleep(FOR_EVER, || gate::is_outside(thread)) {}
                stop(&[thread]);
            }
            heap.touch();
            stack.touch();
            gate::open();
        }
    });
    let running = start(1, move || {
        stack.touch();
        slow_path(thread, &heap);
        stack.touch();
        stands_still(thread);
    });
    join([collector, running]);
}

/// A thread that enters a safe region and leaves it, beside two stops.
fn region_and_two_stops() {
    let thread = record(1);
    let stack = Place::new();
    let collector = start(COLLECTOR, {
        let stack = stack.clone();
        move || (0..2).for_each(|_| stop_in_region(thread, &stack))
    });
    let running = start(1, move || {
        stack.touch();
        gate::begin_region(thread, Addr::new(0x1000));
        gate::end_region(thread);
        stack.touch();
        stands_still(thread);
    });
    join([collector, running]);
}

fn stop_in_region(thread: &Mutator, stack: &Place) {
    close(&[thread]);
    stop(&[thread]);
    if gate::is_in_region(thread) {
        assert_eq!(thread.region_sp.load(Ordering::Relaxed), 0x1000, "the stack pointer of a region");
    }
    stack.touch();
    gate::open();
}

/// A thread that waits in a call, opened and left as by the malloc door, beside a stop.
fn call_and_stop() {
    let thread = record(1);
    let stack = Place::new();
    let collector = start(COLLECTOR, {
        let stack = stack.clone();
        move || {
            close(&[thread]);
            wait_or_signal(thread);
            if gate::is_in_call(thread) {
                assert_ne!(thread.region_sp.load(Ordering::Relaxed), 0, "the stack pointer of a call");
            }
            stack.touch();
            gate::open();
        }
    });
    let running = start(1, move || {
        stack.touch();
        open_call(thread);
        assert!(os::tls::record::<Mutator>().is_null(), "the record is hidden");
        assert!(region::leave().is_some() && !region::is_open(), "the region ends");
        assert!(!os::tls::record::<Mutator>().is_null(), "the record is there again");
        stack.touch();
        stands_still(thread);
    });
    join([collector, running]);
}

/// A thread in a call that does not end, beside two stops: they may signal it before the call only.
fn call_and_signals() {
    let thread = record(1);
    let collector = start(COLLECTOR, move || {
        for _ in 0..2 {
            close(&[thread]);
            wait_or_signal(thread);
            gate::open();
        }
    });
    let running = start(1, move || {
        open_call(thread);
        assert_eq!(os::signal::SENT.load(Ordering::Relaxed), 0, "a signal comes in the call");
    });
    join([collector, running]);
}

fn open_call(thread: &Mutator) {
    os::tls::set_record(core::ptr::from_ref(thread).cast_mut());
    region::open(thread, gate::IN_CALL, Addr::new(0x1000), Addr::new(0x2000));
}

/// Waits until the thread stands still, which is sent a signal if it does not.
fn wait_or_signal(thread: &Mutator) {
    let has_stopped =
        || thread.stopped.load(Ordering::Acquire) == 1 || gate::is_in_region(thread) || gate::is_in_call(thread);
    if !has_stopped() {
        os::signal::SENT.store(1, Ordering::Relaxed);
    }
    while !gate::look_or_sleep(FOR_EVER, has_stopped) {}
}

/// A thread that makes a call and has what a fork waits for.
fn call_and_fork() {
    let thread = record(1);
    let forking = start(COLLECTOR, move || {
        gate::close(COLLECTOR);
        while !gate::look_or_sleep(FOR_EVER, || thread.stopped.load(Ordering::Acquire) == 1) {}
        gate::open();
    });
    let running = start(1, move || {
        open_call(thread);
        stands_still(thread);
        assert!(region::leave().is_some(), "the region ends");
    });
    join([forking, running]);
}

/// Two threads in slow paths, and one that closes the gates only, as for a fork.
fn two_slow_paths() {
    let threads = [record(1), record(2)];
    let collector = record(COLLECTOR);
    let heaps = [Place::new(), Place::new()];
    let closing = start(COLLECTOR, {
        let heaps = heaps.clone();
        move || {
            close(&threads);
            heaps.iter().for_each(|heap| heap.touch());
            drop(gate::enter(collector).expect("who closed the gates passes them"));
            gate::open();
        }
    });
    let [one, two] = threads;
    let [of_one, of_two] = heaps;
    join([closing, start(1, move || slow_path(one, &of_one)), start(2, move || slow_path(two, &of_two))]);
}

/// A thread that finds the gates closed at the end of a region has seen what was done before: it may go on when it has
/// waited for the closing before.
fn closing_after_another() {
    let thread = record(1);
    let heap = Place::new();
    let collector = start(COLLECTOR, {
        let heap = heap.clone();
        move || {
            heap.touch();
            gate::close(COLLECTOR);
            gate::open();
        }
    });
    let running = start(1, move || {
        if gate::try_end_region(thread).is_err() {
            heap.touch();
        }
    });
    join([collector, running]);
}

/// Two threads that stand still at about the same time.
fn two_announcements() {
    let threads = [record(1), record(2)];
    let collector = start(COLLECTOR, move || stop(&threads));
    let [one, two] = threads;
    join([collector, start(1, || stands_still(one)), start(2, || stands_still(two))]);
}

#[test]
fn slow_paths_regions_and_closed_gates_exclude_each_other_and_nobody_sleeps_on() {
    let model = |name, run| Model { has_barrier: true, ..Model::new(name, run) };
    // First the one that sleeps in no callback: the panic of threads that all sleep cannot leave one.
    let models = [
        model("region and two stops", region_and_two_stops),
        model("call and stop", call_and_stop),
        model("call and signals", call_and_signals),
        model("call and fork", call_and_fork),
        model("slow path and stop", slow_path_and_stop),
        model("slow path and stop without a barrier", slow_path_and_stop_without_barrier),
        model("closing after another", closing_after_another),
        model("two announcements", two_announcements),
        model("two slow paths", two_slow_paths),
    ];
    let unnoticed = [
        Unnoticed {
            file: "src/heap/gate.rs",
            access: Access::Store,
            is_torn: false,
            text: "Release: as in `begin_region`",
            why: "the fence after LEAVING_REGION does as much, where the light side of the barrier is one",
        },
        Unnoticed {
            file: "src/heap/region.rs",
            access: Access::Update,
            is_torn: true,
            text: "let opened",
            why: "only handlers of the thread's own change the word meanwhile",
        },
        Unnoticed {
            file: "src/heap/region.rs",
            access: Access::Update,
            is_torn: true,
            text: "SUSPENDED.fetch_sub",
            why: "no thread of the models calls `vfork`",
        },
    ];
    check(
        &models,
        &["src/heap/gate.rs", "src/heap/region.rs"],
        &unnoticed,
        &[Fault::NoLightFence, Fault::NoHeavyFence, Fault::NoWake],
    );
}
