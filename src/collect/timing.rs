//! When the steps of a collection were, and who is told: counters, the line of `trace`, listeners; and what is said of a
//! collection that was given up.

use super::{
    events::{self, Event, Step},
    settings,
    stats::{self, COUNTERS, Counters},
    trigger::Trigger,
    world::Abandoned,
};
use crate::{
    base::sync::Ordering,
    heap::{
        gate,
        mutator::{self, Mutator},
        pressure,
        sweep::Swept,
    },
    os::{clock, log},
};

/// The times of a collection's steps.
#[derive(Clone, Copy, Default)]
pub struct Times {
    /// Whether hooks have been told that a collection begins.
    pub has_begun: bool,
    pub start_ns: u64,
    /// How long the collecting thread had had a processor by then.
    pub start_thread_ns: u64,
    pub stopped_ns: u64,
    pub rooted_ns: u64,
    pub marked_ns: u64,
    pub settled_ns: u64,
    pub swept_ns: u64,
    pub resumed_ns: u64,
}

impl Times {
    pub fn start() -> Times {
        Times { start_ns: clock::now_ns(), start_thread_ns: clock::thread_ns(), ..Times::default() }
    }

    /// Lets the others go on by `resume`. Where there are more threads than processors, one that is woken may take this
    /// thread's, and works there: nobody pauses then. So what counts is the processor's time.
    pub fn resume(&mut self, resume: impl FnOnce()) {
        let (before_ns, spent_before_ns) = (clock::now_ns(), clock::thread_ns());
        resume();
        self.resumed_ns = before_ns + (clock::thread_ns() - spent_before_ns);
    }
}

/// Why a collection was given up.
pub enum GivenUp {
    /// The world could not be stopped, or not be seen.
    Abandoned(Abandoned),
    /// The program has forbidden it meanwhile.
    Forbidden,
}

impl GivenUp {
    /// The system does not show the process's threads or memory.
    pub const UNKNOWN: GivenUp = GivenUp::Abandoned(Abandoned { tid: 0 });
}

/// Says that a collection was given up, and when the next is due; `false`.
pub fn give_up(mutator: &Mutator, reason: GivenUp) -> bool {
    // One that is forbidden is still due, once it is allowed.
    let GivenUp::Abandoned(abandoned) = reason else { return false };
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

pub fn report(mutator: &Mutator, swept: &Swept, times: &Times, root_bytes: u64, markers: usize) {
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

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use core::time::Duration;

    #[test]
    fn a_pause_does_not_last_while_others_have_the_processor_of_who_has_woken_them() {
        const AWAY: Duration = Duration::from_millis(100);
        let mut times = Times::start();
        times.resume(|| std::thread::sleep(AWAY));
        assert!(times.resumed_ns >= times.start_ns && times.resumed_ns - times.start_ns < AWAY.as_nanos() as u64 / 2);
    }
}
