//! The world: stopping every other thread, and letting them go.
//!
//! ```text
//!   close the gates        nobody gets into a slow path any more
//!   look                   for a moment: threads that allocate come to their gates; if all have, that was it
//!   wait                   until nobody is inside a slow path
//!   ask                    one signal to each thread that is not in a safe region, all sent before waiting
//!   wait                   each publishes the context of what it was doing and sleeps
//!   look for strangers     threads that the kernel lists and we do not know: a record for each, ask again
//! ```
//!
//! A thread that the signal does not reach, because it has blocked it or takes it by `sigwait`, is asked by the reserve
//! signal, which nobody blocks.
//!
//! A thread that waits in a call of the C library's is left alone as well, provided that a handler which interrupts the
//! call ends the region before anything else: the door's *gateway*. The kernel is asked at each stop whether there is a
//! handler that does not come by it. From the first one on such threads are asked like all others.
//!
//! A stop can fail: a thread may be held by a debugger, or wait for a `vfork` child. So it has a deadline, and then it is
//! *abandoned*: everybody goes on, nothing is reclaimed, and a statistic counts it.
//!
//! Holds:   after a successful stop every thread of the process but the caller is in its stop handler, in a safe region
//!          or in a call that is one, or has ended; none is inside a gate.
//! Threads: the caller has [`hold`] of the world.
//!
//! Here a stop is put together; `held` is the right to it, `ask` the asking side, `answer` the side that is asked, and
//! `records` what a thread is known by. [`sharers`] are processes in our
//! memory that no stop reaches: beside one every stop is abandoned.

mod answer;
mod ask;
mod held;
mod records;
pub mod sharers;

use super::{ended, settings};
use crate::{
    base::sync::{AtomicBool, Ordering},
    heap::{
        gate,
        mutator::{self, Mutator},
        refill, region,
    },
    os::{
        poll::{self, Place},
        signal, thread,
    },
};

pub(super) use held::try_hold;
pub use {
    answer::{choose_signal, give_up_signal, is_claimed_by, stop_signal},
    held::{Held, World, hold, is_own_process},
    records::{register, unregister},
};

/// Whether there may be, or may have been, a handler that does not come by the gateway. Relaxed: set before the kernel is
/// told of the handler, or by who stops the world.
pub static IS_GATEWAY_PASSED: AtomicBool = AtomicBool::new(false);

/// Where a collector waits for threads to come to their gates.
static ARRIVALS: Place = Place::new();

/// How long threads are looked for that come to their gates by themselves: about as long as a signal to one that runs takes.
const ARRIVAL_NS: u64 = 10_000;

/// The stop did not succeed; everybody goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Abandoned {
    /// A thread that did not answer.
    pub tid: u32,
}

/// A handler does, or did, not come by the gateway: from now on no call is a region.
pub fn note_gateway_passed() {
    IS_GATEWAY_PASSED.store(true, Ordering::Relaxed);
    region::SUSPENDED.fetch_add(1, Ordering::Relaxed);
}

/// Stops every other thread. On success the world stays stopped until [`resume`]; on failure it goes on already.
pub fn stop(myself: &Mutator) -> Result<(), Abandoned> {
    // First of all, to stop nobody in vain; and last, because one may have been made meanwhile.
    none_shares_memory()?;
    stop_all(myself)?;
    none_shares_memory().inspect_err(|_| resume())?;
    ended::remember_former_threads();
    Ok(())
}

fn none_shares_memory() -> Result<(), Abandoned> {
    sharers::any().map_or(Ok(()), |tid| Err(Abandoned { tid }))
}

fn stop_all(myself: &Mutator) -> Result<(), Abandoned> {
    let tid = myself.tid.load(Ordering::Relaxed);
    if !answer::has_signal() {
        return Err(Abandoned { tid: 0 });
    }
    poll::allow(mutator::count_alive());
    gate::begin_closing(tid);
    if have_come(myself) {
        others(myself).for_each(|record| note_region(record, true));
        return Ok(());
    }
    gate::finish_closing();
    let stopped = ask::wait_for_gates(myself).and_then(|()| {
        let stop = answer::begin_stop();
        stop_by_signals(myself, stop).map(|()| stop)
    });
    // A thread in a call may answer later yet; what the collector reads of it is to stay as it is.
    let note = |record: &Mutator, stop| note_region(record, !answer::has_answered(record, stop));
    stopped.map(|stop| others(myself).for_each(|record| note(record, stop))).inspect_err(|_| resume())
}

/// Notes whether a thread stands in a safe region, where nobody has looked yet.
fn note_region(record: &Mutator, is_in_region: bool) {
    // Relaxed, both: the collector alone uses them.
    record.stands_in_region.store(u32::from(is_in_region), Ordering::Relaxed);
    record.stood_at.store(0, Ordering::Relaxed);
}

/// Whether all other threads stand still at their gates. A thread that allocates comes there by itself, often sooner
/// than a signal comes to it; one that waits in a call does not come.
fn have_come(myself: &Mutator) -> bool {
    let all_have = || others(myself).all(gate::has_come);
    if others(myself).any(gate::is_in_call) {
        return false;
    }
    if others(myself).next().is_some() && !ARRIVALS.look_as_collector(ARRIVAL_NS, all_have) {
        return false;
    }
    // Counted before looking at the records, as for strangers.
    let counted = thread::count();
    counted == Some(others(myself).count() + 1) && all_have()
}

/// Stops all threads but those that wait in calls, if no handler can run there unnoticed.
fn stop_by_signals(myself: &Mutator, stop: u32) -> Result<(), Abandoned> {
    let is_passed = IS_GATEWAY_PASSED.load(Ordering::Relaxed);
    // The kernel may write for a call meanwhile, and the second marker is to see what the first saw.
    ask::let_calls_be_regions(!is_passed && !settings::recheck());
    stop_known_and_strangers(myself, stop)?;
    // Now nobody sets a handler any more.
    if others(myself).any(gate::is_in_call) && !is_passed && signal::is_handled_beside(answer::on_stop) {
        note_gateway_passed();
        ask::let_calls_be_regions(false);
        stop_known_and_strangers(myself, stop)?;
    }
    Ok(())
}

fn stop_known_and_strangers(myself: &Mutator, stop: u32) -> Result<(), Abandoned> {
    ask::stop_known(myself, stop)?;
    ask::stop_strangers(myself, stop)
}

/// Lets everybody go on. The gates are open before anybody is woken: who is may take this thread's processor, and would
/// soon come to closed gates.
pub fn resume() {
    let was_asked = answer::end_stop();
    gate::open();
    if was_asked {
        answer::wake_all();
    }
}

/// Closes the gates only, for a fork: nobody holds a lock of ours, nobody is signalled.
pub fn close_gates(myself: &Mutator) -> Result<(), Abandoned> {
    gate::close(myself.tid.load(Ordering::Relaxed));
    let result = ask::wait_for_gates(myself);
    if result.is_err() {
        gate::open();
    }
    result
}

/// The records of all other threads.
pub(super) fn others(myself: &Mutator) -> impl Iterator<Item = &'static Mutator> {
    mutator::all().filter(move |record| record.is_alive() && !core::ptr::eq(*record, myself))
}

/// Makes this module right in a child process: the calling thread is the only one.
///
/// # Safety
/// Called in the child of a fork, by its only thread, with the gates closed by the parent's [`close_gates`] or, when
/// the fork went past our handlers, with nobody inside a gate.
pub unsafe fn become_child(myself: &Mutator) {
    myself.tid.store(thread::id(), Ordering::Relaxed);
    answer::forget_stop();
    sharers::forget();
    for record in others(myself) {
        record.inside.store(0, Ordering::Relaxed);
        super::roots::remember_control_block(record.thread_pointer.load(Ordering::Relaxed));
        // SAFETY: its thread does not exist in this process.
        unsafe { refill::abandon(record) };
        record.release();
    }
    thread::barrier_init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_block_of_a_thread_whose_id_was_given_out_again_is_remembered() {
        const FORMER: usize = 0x7357_0000;
        let nobodys_id = u32::MAX / 2;
        let record = mutator::obtain(nobodys_id).expect("a record");
        record.former_thread_pointer.store(FORMER, Ordering::Relaxed);
        ended::remember_former_threads();
        record.release();
        assert_eq!(record.former_thread_pointer.load(Ordering::Relaxed), 0);
        assert!(crate::collect::tables::TABLES.lock().ended_control_blocks.as_slice().contains(&FORMER));
    }
}
