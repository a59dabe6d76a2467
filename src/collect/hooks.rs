//! Hooks: where a door takes part in a collection.
//!
//! ```text
//!   permit     before anything else, on any thread,  the permission
//!              and once the world is stopped
//!   begin      the world runs, gates are open        Started · the start hook · WorldStops
//!   stopped    nothing has been marked yet           WorldStopped · MarkStarts
//!   push       roots have been read, marking goes on the push hook
//!   settled    marks are final, nothing is swept     the settled hook
//!   resuming   what is dead has been swept           MarkEnded · WorldResumes
//!   end        the world runs                        WorldResumed · SweepStarts · SweepEnded · Ended
//!   over       outside all locks                     the hook for what is left to do
//!   child      in the child of a fork                the hook for what its other threads held
//! ```
//!
//! A door that speaks for another collector promises that collector's order. There sweeping begins with the world running,
//! and programs lock and print where they are told so: therefore what is said of that is said late. And nothing is said
//! between marking and sweeping, when what a program frees would be handed out twice.
//!
//! All others run on the collecting thread, on the collector's own stack, but the last, which runs where the thread was.
//! While the world is stopped a hook may report what it finds to be reachable, ask for marks, and call nothing else. A start
//! hook may have locked what the push hook unlocks, so each start is followed by a push, even when the collection is given
//! up: what it reports goes nowhere then.
//!
//! Holds:   without a door that asks, a collection looks at a few zeros.
//! Threads: set by any, best before the first collection; one thread collects at a time.

use super::trace::{self, Sink};
use crate::{
    base::{
        addr::{Addr, Ambiguous, Range},
        sync::{AtomicUsize, Ordering},
    },
    heap::mutator,
};

/// What a collection has come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moment {
    /// It begins.
    Started,
    /// It is about to mark.
    MarkStarts,
    /// Marking is over.
    MarkEnded,
    /// It is about to take back what is dead.
    SweepStarts,
    /// That is done.
    SweepEnded,
    /// It is over.
    Ended,
    /// The world is about to be stopped.
    WorldStops,
    /// The world has been stopped.
    WorldStopped,
    /// The world is about to go on.
    WorldResumes,
    /// The world goes on.
    WorldResumed,
}

/// A place for a function.
pub struct Hook(AtomicUsize);

/// Before each collection. Paired with [`PUSH`].
pub static START: Hook = Hook(AtomicUsize::new(0));
/// After the roots that the engine knows: [`trace::running`] takes what is reported.
pub static PUSH: Hook = Hook(AtomicUsize::new(0));
/// When all marks are made that finalizers make, and weak links are cleared.
pub static SETTLED: Hook = Hook(AtomicUsize::new(0));
/// Told of each object whose finalizer is queued. The world is stopped.
static QUEUED: AtomicUsize = AtomicUsize::new(0);
/// After a collection, outside all locks.
pub static OVER: Hook = Hook(AtomicUsize::new(0));
/// In the child of a fork, by its only thread, before it goes on: other threads may have held what is the door's.
pub static CHILD: Hook = Hook(AtomicUsize::new(0));
/// Asked before each collection.
static PERMISSION: AtomicUsize = AtomicUsize::new(0);
/// Told of each [`Moment`].
static MOMENT: AtomicUsize = AtomicUsize::new(0);

impl Hook {
    /// Sets the function, or takes it away. It must not unwind.
    pub fn set(&self, function: Option<fn()>) {
        // Relaxed: a function of a library that is never unloaded is all there is to see.
        self.0.store(function.map_or(0, |function| function as usize), Ordering::Relaxed);
    }

    fn get(&self) -> Option<fn()> {
        let function = self.0.load(Ordering::Relaxed);
        // SAFETY: stored by `set`.
        (function != 0).then(|| unsafe { core::mem::transmute::<usize, fn()>(function) })
    }

    fn call(&self) {
        if let Some(function) = self.get() {
            function();
        }
    }
}

/// Sets the function that says whether anything may be collected now, or takes it away: for a door whose program says so by
/// variables. It is asked by any thread, at any time, and only reads.
pub fn set_permission(function: Option<fn() -> bool>) {
    PERMISSION.store(function.map_or(0, |function| function as usize), Ordering::Relaxed);
}

/// Whether no door forbids a collection.
pub(super) fn permit() -> bool {
    let function = PERMISSION.load(Ordering::Relaxed);
    // SAFETY: stored by `set_permission`.
    function == 0 || unsafe { core::mem::transmute::<usize, fn() -> bool>(function) }()
}

/// Sets the function that is told of moments, or takes it away. It must not unwind.
pub fn set_moment(function: Option<fn(Moment)>) {
    MOMENT.store(function.map_or(0, |function| function as usize), Ordering::Relaxed);
}

/// Sets the function that is told of objects whose finalizers are queued, or takes it away. It must not unwind.
pub fn set_queued(function: Option<fn(Addr)>) {
    QUEUED.store(function.map_or(0, |function| function as usize), Ordering::Relaxed);
}

/// The finalizer of `object` has been queued.
pub(super) fn queued(object: Addr) {
    let function = QUEUED.load(Ordering::Relaxed);
    if function != 0 {
        // SAFETY: stored by `set_queued`.
        let function = unsafe { core::mem::transmute::<usize, fn(Addr)>(function) };
        mutator::forbid(|| function(object));
    }
}

fn tell(moments: &[Moment]) {
    let function = MOMENT.load(Ordering::Relaxed);
    if function != 0 {
        // SAFETY: stored by `set_moment`.
        let function = unsafe { core::mem::transmute::<usize, fn(Moment)>(function) };
        moments.iter().for_each(|&moment| function(moment));
    }
}

/// A collection begins; the world runs.
pub(super) fn begin() {
    tell(&[Moment::Started]);
    START.call();
    tell(&[Moment::WorldStops]);
}

/// The world has been stopped, and nothing has been done to the heap yet.
pub(super) fn stopped() {
    tell(&[Moment::WorldStopped, Moment::MarkStarts]);
}

/// Has the push hook report to `sink`. The world is stopped.
pub(super) fn push(sink: &mut dyn Sink) {
    if let Some(function) = PUSH.get() {
        trace::listen(sink, |_| mutator::forbid(function));
    }
}

/// As [`push`], for a collection that was given up.
pub(super) fn push_nowhere() {
    struct Nowhere;
    impl Sink for Nowhere {
        fn word(&mut self, _: Ambiguous) {}
        unsafe fn words(&mut self, _: Range) {}
    }
    push(&mut Nowhere);
}

/// All marks are made.
pub(super) fn settled() {
    if let Some(function) = SETTLED.get() {
        mutator::forbid(function);
    }
}

/// What is dead has been swept; the world is still stopped.
pub(super) fn resuming() {
    tell(&[Moment::MarkEnded, Moment::WorldResumes]);
}

/// The world goes on.
pub(super) fn end() {
    use Moment::{Ended, SweepEnded, SweepStarts, WorldResumed};
    tell(&[WorldResumed, SweepStarts, SweepEnded, Ended]);
}

/// The other threads are no more.
pub(super) fn child() {
    CHILD.call();
}

/// The collection is over, and no lock is held.
pub(super) fn over() {
    OVER.call();
}
