//! Asking: every other thread is sent the stop signal, and waited for.
//!
//! All are asked before any is waited for. One that does not answer in time is looked into: it may have ended, its signal
//! may have found no room in the queue, it may not be reached by this signal. The kernel's own list then shows threads that
//! nobody has a record of.
//!
//! Holds:   a stop succeeds only if as many threads stand still as the kernel counts.
//! Threads: who holds the world, with the gates closing or closed.

use super::{Abandoned, answer, others};
use crate::{
    base::sync::{AtomicBool, Ordering},
    collect::ended,
    heap::{
        gate,
        mutator::{self, Mutator},
    },
    os::{clock, memcheck, poll::Place, signal, thread},
};

/// Whether a thread that waits in a call stands still, in the stop under way. Only who stops the world uses it: relaxed.
static CALLS_ARE_REGIONS: AtomicBool = AtomicBool::new(true);

/// Lets threads that wait in calls stand still there, in the stop under way, or not.
pub fn let_calls_be_regions(are_regions: bool) {
    CALLS_ARE_REGIONS.store(are_regions, Ordering::Relaxed);
}

/// Where a collector waits for threads to answer.
static ANSWERS: Place = Place::new();

/// How long a collector looks for them before it sleeps.
const ANSWER_NS: u64 = 200_000;
/// When the first of those that have not come are looked into.
const FIRST_DEADLINE_NS: u64 = 10_000_000;
/// A thread that is about to end when it is asked does not answer, and is gone soon.
const GONE_NS: u64 = 300_000;
/// So many are looked for then.
const GONE_MAX: usize = 8;
/// How long a thread that could run is waited for: the machine may be busy.
const RUNNABLE_DEADLINE_NS: u64 = 1_000_000_000;
/// How long a thread that sleeps is waited for: a signal would have woken it.
const SLEEPING_DEADLINE_NS: u64 = 150_000_000;

/// Waits until `is_done` holds for every other thread's record. `look_early` is told of a few that have not come soon.
fn wait_for_all(
    myself: &Mutator,
    is_done: impl Fn(&Mutator) -> bool,
    look_early: impl Fn(&Mutator),
    give_up: impl Fn(&Mutator) -> bool,
) -> Result<(), Abandoned> {
    let are_done = || others(myself).all(&is_done);
    if ANSWERS.look_as_collector(ANSWER_NS, are_done) {
        return Ok(());
    }
    let start = clock::now_ns();
    let mut deadline = start + GONE_NS;
    let mut now = start;
    while !gate::look_or_sleep(deadline - now, are_done) {
        now = clock::now_ns();
        if now >= deadline && now < start + FIRST_DEADLINE_NS {
            ended::retire_gone(others(myself).filter(|record| !is_done(record)).take(GONE_MAX));
            others(myself).filter(|record| !is_done(record)).take(GONE_MAX).for_each(&look_early);
            deadline = start + FIRST_DEADLINE_NS;
        } else if now >= deadline {
            for record in others(myself).filter(|record| !is_done(record)) {
                let tid = record.tid.load(Ordering::Relaxed);
                if !give_up(record) && is_hopeless(tid, now - start) {
                    return Err(Abandoned { tid });
                }
            }
            deadline = now + (now - start);
        }
    }
    Ok(())
}

/// Whether a thread has been waited for as long as makes sense.
fn is_hopeless(tid: u32, waited_ns: u64) -> bool {
    // A thread that waits for its turn on valgrind's processor sleeps.
    let limit =
        if thread::is_runnable(tid) || memcheck::is_simulated() { RUNNABLE_DEADLINE_NS } else { SLEEPING_DEADLINE_NS };
    waited_ns >= limit
}

/// Waits until no other thread is inside a slow path.
#[unsafe(link_section = ".text.hot")]
pub fn wait_for_gates(myself: &Mutator) -> Result<(), Abandoned> {
    wait_for_all(myself, gate::is_outside, |_| {}, ended::retire_if_ended)
}

/// Asks all other threads that have a record, and waits for them.
pub fn stop_known(myself: &Mutator, stop: u32) -> Result<(), Abandoned> {
    for record in others(myself) {
        ask(record, stop);
    }
    wait_for_all(
        myself,
        |record| has_stopped(record, stop),
        |record| {
            // Such are the threads that libraries make for themselves: their signals are blocked for good.
            let tid = record.tid.load(Ordering::Relaxed);
            let is_asked = record.requested.load(Ordering::Relaxed) == stop;
            let is_deaf = || thread::sleeps_behind_mask(tid, answer::stop_signal());
            if is_asked && record.is_deaf.load(Ordering::Relaxed) == 0 && is_deaf() {
                ask_otherwise(record, stop);
            }
        },
        |record| {
            // A signal that the queue had no room for is sent again, and one that did not arrive in another way.
            let tid = record.tid.load(Ordering::Relaxed);
            let is_lost = record.requested.load(Ordering::Relaxed) != stop;
            if is_lost || record.is_deaf.load(Ordering::Relaxed) == 0 && thread::is_deaf_to(tid, answer::stop_signal())
            {
                record.is_deaf.store(u32::from(!is_lost), Ordering::Relaxed);
                ask(record, stop);
            }
            ended::retire_if_ended(record)
        },
    )
}

/// Sends a thread the reserve signal, from now on.
fn ask_otherwise(record: &Mutator, stop: u32) {
    record.is_deaf.store(1, Ordering::Relaxed);
    ask(record, stop);
}

/// Whether the thread stands still: in its handler, or in a safe region, which it cannot leave now.
fn has_stopped(record: &Mutator, stop: u32) -> bool {
    let is_in_call = || CALLS_ARE_REGIONS.load(Ordering::Relaxed) && gate::is_in_call(record);
    answer::has_answered(record, stop) || gate::is_in_region(record) || is_in_call()
}

/// Sends the thread the stop signal, unless it stands still already.
fn ask(record: &Mutator, stop: u32) {
    if has_stopped(record, stop) {
        return;
    }
    // Release: pairs with the Acquire of `asked_record`.
    record.requested.store(stop, Ordering::Release);
    let tid = record.tid.load(Ordering::Relaxed);
    if record.is_deaf.load(Ordering::Relaxed) != 0 && signal::send_reserve(tid, answer::on_stop) {
        return;
    }
    match thread::send(tid, answer::stop_signal()) {
        thread::Sent::Delivered => {}
        thread::Sent::Busy | thread::Sent::Refused => record.requested.store(stop.wrapping_sub(1), Ordering::Release),
        thread::Sent::Gone => {
            ended::retire_if_ended(record);
        }
    }
}

/// Finds threads without a record by the kernel's list, until every thread there is stands still.
pub fn stop_strangers(myself: &Mutator, stop: u32) -> Result<(), Abandoned> {
    ended::retire_ended_in_regions(myself);
    loop {
        // Counted before looking at the records: a thread is in the count, and then it must be among those who stand
        // still. One that gets its record in between makes the second test fail.
        let counted = thread::count();
        let known = others(myself).count() + 1;
        if others(myself).all(|record| has_stopped(record, stop)) && counted == Some(known) {
            return Ok(());
        }
        let (mut listed, mut strangers, mut nameless) = (0, 0, None);
        let is_listed = thread::for_each_id(|tid| {
            listed += 1;
            if mutator::find(tid).is_none() && !thread::has_ended(tid) {
                strangers += 1;
                if mutator::obtain(tid).is_none() {
                    nameless = Some(tid);
                }
            }
        });
        if !is_listed {
            // No task list to look at: a thread that we do not know may hold anything.
            return Err(Abandoned { tid: 0 });
        }
        if let Some(tid) = nameless {
            // No memory for its record.
            return Err(Abandoned { tid });
        }
        // A thread that ends while the list is read may make the kernel pass over another: then the list is too short.
        let is_whole = counted.is_none_or(|counted| listed >= counted);
        if strangers == 0 && is_whole && others(myself).all(|record| has_stopped(record, stop)) {
            return Ok(());
        }
        stop_known(myself, stop)?;
    }
}
