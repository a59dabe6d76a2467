//! Events: what a collection did, told to a listener after the world goes on.
//!
//! A listener may then do anything: allocate, collect, throw. So events are noted during the collection and wait, with
//! the collecting thread's id, until that thread hands them out.

use super::table::List;
use crate::{
    base::sync::{AtomicUsize, Ordering},
    os::lock::{Lock, Rank},
};

/// A step of a collection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Step {
    /// It was decided.
    Start = 0,
    /// The world stands still.
    Stop = 1,
    /// Everything reachable is marked.
    MarkEnd = 2,
    /// Everything else is free.
    SweepEnd = 3,
    /// The world goes on.
    Resume = 4,
}

/// One event.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// The step.
    pub step: Step,
    /// The collection's number, from 1.
    pub collection: u64,
    /// When.
    pub time_ns: u64,
    /// Since the step before.
    pub duration_ns: u64,
    /// Bytes kept, known from the end of marking on.
    pub live_bytes: u64,
    /// Bytes taken back, known from the end of the sweep on.
    pub reclaimed_bytes: u64,
}

struct Waiting {
    events: List<(u32, Event)>,
    is_listening: bool,
}

/// How many events wait: whether it is worth taking the lock.
static COUNT: AtomicUsize = AtomicUsize::new(0);

static WAITING: Lock<Waiting> = Lock::new(Rank::Events, Waiting { events: List::new(), is_listening: false });

/// Whether events are to be kept at all.
pub fn listen(on: bool) {
    WAITING.lock().is_listening = on;
}

/// Notes the events of a collection for thread `tid`, which is inside its gate or keeps the gates closed.
pub fn note(tid: u32, events: &[Event]) {
    let mut waiting = WAITING.lock();
    if waiting.is_listening {
        for &event in events {
            // Without memory a listener misses an event; nothing depends on it.
            let _ = waiting.events.push((tid, event));
        }
    }
    COUNT.store(waiting.events.as_slice().len(), Ordering::Relaxed);
}

/// Whether events wait for some thread.
#[inline]
pub fn are_waiting() -> bool {
    COUNT.load(Ordering::Relaxed) != 0
}

/// The next event for thread `tid`, which is inside its gate.
pub fn take(tid: u32) -> Option<Event> {
    take_first(|of| of == tid)
}

/// The oldest event of any thread. The caller is inside its gate.
pub fn take_oldest() -> Option<Event> {
    take_first(|_| true)
}

fn take_first(is_wanted: impl Fn(u32) -> bool) -> Option<Event> {
    let mut waiting = WAITING.lock();
    let index = waiting.events.as_slice().iter().position(|(of, _)| is_wanted(*of))?;
    let event = waiting.events.as_slice()[index].1;
    // In order: what comes after moves up.
    let count = waiting.events.as_slice().len();
    waiting.events.as_mut_slice().copy_within(index + 1..count, index);
    waiting.events.pop();
    COUNT.store(count - 1, Ordering::Relaxed);
    Some(event)
}

/// Makes the lock usable in a child process whose other threads are gone.
///
/// # Safety
/// Only one thread runs.
pub unsafe fn reset_after_fork() {
    // SAFETY: by the caller's promise nobody holds or waits.
    unsafe { WAITING.reset() };
}
