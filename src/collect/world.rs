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

use super::{ended, settings};
use crate::{
    base::sync::{AtomicBool, AtomicI32, AtomicU32, Ordering},
    heap::{
        gate,
        mutator::{self, Mutator},
        refill, region,
    },
    os::{
        clock,
        lock::{Guard, Lock, Rank},
        memcheck,
        poll::{self, Place},
        signal, sys, thread, tls,
    },
};
use core::{
    ffi::c_void,
    mem::ManuallyDrop,
    ops::{Deref, DerefMut},
};

/// One collection, fork or other change of the world at a time.
static WORLD: Lock<World> = Lock::new(Rank::World, World);
/// The process that all records belong to: another one means that we are in a child that forked past our handlers, or in
/// a `vfork` child. Changed while one thread runs: relaxed.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// The world's lock, held with all signals blocked; dropping it undoes both.
pub struct Held {
    guard: ManuallyDrop<Guard<'static, World>>,
    mask: signal::Set,
}

/// Takes the world's lock.
///
/// Its holder runs with all signals blocked: a handler that allocates could want the lock again. Who waits for it does
/// so with its signals open: the holder may want to stop it.
pub fn hold() -> Held {
    loop {
        if let Some(held) = try_hold() {
            return held;
        }
        WORLD.wait();
    }
}

/// As [`hold`], if nobody else has it.
pub(super) fn try_hold() -> Option<Held> {
    let mask = signal::block_all();
    let guard = WORLD.try_lock();
    if guard.is_none() {
        signal::set_mask(mask);
    }
    guard.map(|guard| Held { guard: ManuallyDrop::new(guard), mask })
}

impl Deref for Held {
    type Target = World;
    fn deref(&self) -> &World {
        &self.guard
    }
}

impl DerefMut for Held {
    fn deref_mut(&mut self) -> &mut World {
        &mut self.guard
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: dropped once, here; the signals come back after the lock has gone.
        unsafe { ManuallyDrop::drop(&mut self.guard) };
        signal::set_mask(self.mask);
    }
}

/// What the world's lock guards: all threads' standing still.
pub struct World;

/// The stop under way, or the last one; [`RESUMED`] has the number of the last one that is over.
static STOP: AtomicU32 = AtomicU32::new(0);
static RESUMED: AtomicU32 = AtomicU32::new(0);
static SIGNAL: AtomicI32 = AtomicI32::new(0);
/// Whether a thread that waits in a call stands still, in the stop under way. Only who stops the world uses it: relaxed.
static CALLS_ARE_REGIONS: AtomicBool = AtomicBool::new(true);
/// Whether there may be, or may have been, a handler that does not come by the gateway. Relaxed: set before the kernel is
/// told of the handler, or by who stops the world.
pub static IS_GATEWAY_PASSED: AtomicBool = AtomicBool::new(false);

/// Where a collector waits for threads to come to their gates, and for them to answer; where they wait for it.
static ARRIVALS: Place = Place::new();
static ANSWERS: Place = Place::new();
static STOPPED: Place = Place::new();

/// How long a signal to a thread that runs may take.
const SIGNAL_NS: u64 = 20_000;
const FIRST_DEADLINE_NS: u64 = 10_000_000;
/// A thread that is about to end when it is asked does not answer, and is gone soon.
const GONE_NS: u64 = 300_000;
/// So many are looked for then.
const GONE_MAX: usize = 8;
/// How long a thread that could run is waited for: the machine may be busy.
const RUNNABLE_DEADLINE_NS: u64 = 1_000_000_000;
/// How long a thread that sleeps is waited for: a signal would have woken it.
const SLEEPING_DEADLINE_NS: u64 = 150_000_000;

/// The stop did not succeed; everybody goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Abandoned {
    /// A thread that did not answer.
    pub tid: u32,
}

/// The signal that stops threads; zero before [`choose_signal`].
pub fn stop_signal() -> i32 {
    SIGNAL.load(Ordering::Relaxed)
}

/// Installs the handler for `wanted`; for [`signal::HARMLESS`] or, if the program has that, an unclaimed real-time signal
/// when `wanted` is zero. `false` when the system refuses.
pub fn choose_signal(wanted: i32) -> bool {
    let (low, high) = signal::real_time_range();
    let chosen = if wanted != 0 {
        Some(wanted)
    } else {
        let mut candidates = core::iter::once(signal::HARMLESS).chain((low..=high - 4).rev());
        candidates.find(|&candidate| signal::is_unclaimed(candidate))
    };
    match chosen {
        Some(chosen) if signal::install(chosen, on_stop).is_ok() => {
            // Relaxed: a number; who sends the signal finds out itself whether it arrives.
            SIGNAL.store(chosen, Ordering::Relaxed);
            true
        }
        _ => false,
    }
}

/// Whether the stop signal has our handler; another signal gets it when the program has taken this one.
fn has_signal() -> bool {
    signal::is_installed(stop_signal(), on_stop) || choose_signal(0)
}

impl World {
    /// Whether the caller is the process that the engine works for, and not a `vfork` child in its memory.
    pub fn is_ours(&self) -> bool {
        is_own_process()
    }

    /// From now on the engine works for the calling process, whose only thread is the calling one.
    pub fn follow_process(&mut self) {
        PROCESS.store(sys::process_id(), Ordering::Relaxed);
    }
}

/// As [`World::is_ours`], for who asks nothing of the world.
pub fn is_own_process() -> bool {
    PROCESS.load(Ordering::Relaxed) == sys::process_id()
}

/// A handler does, or did, not come by the gateway: from now on no call is a region.
pub fn note_gateway_passed() {
    IS_GATEWAY_PASSED.store(true, Ordering::Relaxed);
    region::SUSPENDED.fetch_add(1, Ordering::Relaxed);
}

/// Moves to another signal, because the program claims ours. The caller has [`hold`] of the world.
pub fn give_up_signal() -> bool {
    let old = SIGNAL.load(Ordering::Relaxed);
    if !choose_signal(0) {
        return false;
    }
    signal::uninstall(old);
    true
}

/// The handler. All signals are blocked.
extern "C" fn on_stop(_: i32, _: *mut c_void, context: *mut c_void) {
    answer(context);
    // SAFETY: the kernel has passed the context, and all signals are blocked.
    let has_cut_short = unsafe { signal::has_cut_call_short(context, on_stop) };
    if let Some(mutator) = mutator::current_or_hidden()
        && has_cut_short
    {
        // Relaxed: only this thread uses it.
        let count = mutator.calls_cut_short.load(Ordering::Relaxed);
        mutator.calls_cut_short.store(count.wrapping_add(1), Ordering::Relaxed);
    }
}

/// Publishes what was interrupted and sleeps until the stop is over.
fn answer(context: *mut c_void) {
    // Acquire: the first pairs with the Release of `stop`, the second, here and below, with that of `resume`.
    let stop = STOP.load(Ordering::Acquire);
    if is_over(stop, RESUMED.load(Ordering::Acquire)) {
        // Late, for a stop that is over, or sent by somebody else.
        return;
    }
    let Some(mutator) = asked_record(stop) else { return };
    mutator.context.store(context as usize, Ordering::Relaxed);
    mutator.thread_pointer.store(tls::thread_pointer().get(), Ordering::Relaxed);
    // Release: pairs with the collector's Acquire load, which then sees the context and all this thread has written.
    mutator.stopped.store(stop, Ordering::Release);
    gate::announce();
    loop {
        let resumed = RESUMED.load(Ordering::Acquire);
        if is_over(stop, resumed) || STOPPED.look(|| is_over(stop, RESUMED.load(Ordering::Acquire))) {
            return;
        }
        sys::futex_wait(&RESUMED, resumed, None);
    }
}

/// Whether a stop is over when the last one that is over is `resumed`. That may be a later one: a thread that the signal
/// met in a safe region counts as stopped for later stops as well, before it has woken.
fn is_over(stop: u32, resumed: u32) -> bool {
    resumed.wrapping_sub(stop) as i32 >= 0
}

/// The record that the stop asked for this thread by. A thread of a raw `clone` may share another's TLS, so the word
/// there counts only with its id.
fn asked_record(stop: u32) -> Option<&'static Mutator> {
    let tid = thread::id();
    // Acquire: pairs with the Release of `ask`, and with that of the record's new owner.
    let is_asked = |record: &&'static Mutator| {
        record.requested.load(Ordering::Acquire) == stop && record.tid.load(Ordering::Acquire) == tid
    };
    mutator::current_or_hidden().filter(is_asked).or_else(|| mutator::all().find(is_asked))
}

/// Stops every other thread. On success the world stays stopped until [`resume`]; on failure it goes on already.
pub fn stop(myself: &Mutator) -> Result<(), Abandoned> {
    stop_all(myself).inspect(|()| ended::remember_former_threads())
}

fn stop_all(myself: &Mutator) -> Result<(), Abandoned> {
    let tid = myself.tid.load(Ordering::Relaxed);
    if !has_signal() {
        return Err(Abandoned { tid: 0 });
    }
    poll::allow(mutator::count_alive());
    gate::begin_closing(tid);
    if have_come(myself) {
        others(myself).for_each(|record| record.stands_in_region.store(1, Ordering::Relaxed));
        return Ok(());
    }
    gate::finish_closing();
    let stop = STOP.load(Ordering::Relaxed).wrapping_add(1);
    let result = wait_for_gates(myself).and_then(|()| {
        // Release: the handlers that see the number see the closed gates.
        STOP.store(stop, Ordering::Release);
        stop_by_signals(myself, stop)
    });
    match result {
        // A thread in a call may answer later yet; what the collector reads of it is to stay as it is.
        Ok(()) => others(myself).for_each(|record| {
            record.stands_in_region.store(u32::from(!has_answered(record, stop)), Ordering::Relaxed);
        }),
        Err(_) => resume(),
    }
    result
}

/// Whether all other threads stand still at their gates. A thread that allocates comes there by itself, often sooner
/// than a signal comes to it; one that waits in a call does not come.
fn have_come(myself: &Mutator) -> bool {
    let all_have = || others(myself).all(gate::has_come);
    if others(myself).any(gate::is_in_call) {
        return false;
    }
    if others(myself).next().is_some() && !ARRIVALS.look_as_collector(SIGNAL_NS / 2, all_have) {
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
    CALLS_ARE_REGIONS.store(!is_passed && !settings::recheck(), Ordering::Relaxed);
    stop_known_and_strangers(myself, stop)?;
    // Now nobody sets a handler any more.
    if others(myself).any(gate::is_in_call) && !is_passed && signal::is_handled_beside(on_stop) {
        note_gateway_passed();
        CALLS_ARE_REGIONS.store(false, Ordering::Relaxed);
        stop_known_and_strangers(myself, stop)?;
    }
    Ok(())
}

fn stop_known_and_strangers(myself: &Mutator, stop: u32) -> Result<(), Abandoned> {
    stop_known(myself, stop)?;
    stop_strangers(myself, stop)
}

/// Lets everybody go on.
pub fn resume() {
    let stop = STOP.load(Ordering::Relaxed);
    if RESUMED.load(Ordering::Relaxed) != stop {
        // Release: what was done while the world was stopped is seen by those who wake.
        RESUMED.store(stop, Ordering::Release);
        sys::futex_wake(&RESUMED, i32::MAX as u32);
    }
    gate::open();
}

/// Closes the gates only, for a fork: nobody holds a lock of ours, nobody is signalled.
pub fn close_gates(myself: &Mutator) -> Result<(), Abandoned> {
    gate::close(myself.tid.load(Ordering::Relaxed));
    let result = wait_for_gates(myself);
    if result.is_err() {
        gate::open();
    }
    result
}

/// The records of all other threads.
pub(super) fn others(myself: &Mutator) -> impl Iterator<Item = &'static Mutator> {
    mutator::all().filter(move |record| record.is_alive() && !core::ptr::eq(*record, myself))
}

/// Waits until `is_done` holds for every other thread's record.
fn wait_for_all(
    myself: &Mutator,
    is_done: impl Fn(&Mutator) -> bool,
    give_up: impl Fn(&Mutator) -> bool,
) -> Result<(), Abandoned> {
    let are_done = || others(myself).all(&is_done);
    if ANSWERS.look_as_collector(SIGNAL_NS, are_done) {
        return Ok(());
    }
    let start = clock::now_ns();
    let mut deadline = start + GONE_NS;
    let mut now = start;
    while !gate::look_or_sleep(deadline - now, are_done) {
        now = clock::now_ns();
        if now >= deadline && now < start + FIRST_DEADLINE_NS {
            ended::retire_gone(others(myself).filter(|record| !is_done(record)).take(GONE_MAX));
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

fn is_hopeless(tid: u32, waited_ns: u64) -> bool {
    // A thread that waits for its turn on valgrind's processor sleeps.
    let limit =
        if thread::is_runnable(tid) || memcheck::is_simulated() { RUNNABLE_DEADLINE_NS } else { SLEEPING_DEADLINE_NS };
    waited_ns >= limit
}

fn wait_for_gates(myself: &Mutator) -> Result<(), Abandoned> {
    wait_for_all(myself, gate::is_outside, ended::retire_if_ended)
}

fn stop_known(myself: &Mutator, stop: u32) -> Result<(), Abandoned> {
    for record in others(myself) {
        ask(record, stop);
    }
    wait_for_all(
        myself,
        |record| has_stopped(record, stop),
        |record| {
            // A signal that the queue had no room for is sent again, and one that did not arrive in another way.
            let tid = record.tid.load(Ordering::Relaxed);
            let is_lost = record.requested.load(Ordering::Relaxed) != stop;
            if is_lost || record.is_deaf.load(Ordering::Relaxed) == 0 && thread::is_deaf_to(tid, stop_signal()) {
                record.is_deaf.store(u32::from(!is_lost), Ordering::Relaxed);
                ask(record, stop);
            }
            ended::retire_if_ended(record)
        },
    )
}

/// Whether the thread stands still: in its handler, or in a safe region, which it cannot leave now.
fn has_stopped(record: &Mutator, stop: u32) -> bool {
    let is_in_call = || CALLS_ARE_REGIONS.load(Ordering::Relaxed) && gate::is_in_call(record);
    has_answered(record, stop) || gate::is_in_region(record) || is_in_call()
}

fn has_answered(record: &Mutator, stop: u32) -> bool {
    // Acquire: pairs with the Release of `answer`.
    record.stopped.load(Ordering::Acquire) == stop
}

fn ask(record: &Mutator, stop: u32) {
    if has_stopped(record, stop) {
        return;
    }
    // Release: pairs with the Acquire of `asked_record`.
    record.requested.store(stop, Ordering::Release);
    let tid = record.tid.load(Ordering::Relaxed);
    if record.is_deaf.load(Ordering::Relaxed) != 0 && signal::send_reserve(tid, on_stop) {
        return;
    }
    match thread::send(tid, stop_signal()) {
        thread::Sent::Delivered => {}
        thread::Sent::Busy | thread::Sent::Refused => record.requested.store(stop.wrapping_sub(1), Ordering::Release),
        thread::Sent::Gone => {
            ended::retire_if_ended(record);
        }
    }
}

/// This thread's record, as [`mutator::register`] has it; a thread that gets one now clears up after others.
#[inline]
pub fn register() -> Option<&'static Mutator> {
    match mutator::current() {
        Some(mutator) => Some(mutator),
        None => register_anew(),
    }
}

#[cold]
fn register_anew() -> Option<&'static Mutator> {
    let mutator = mutator::register()?;
    ended::retire_ended(mutator);
    Some(mutator)
}

/// Takes the calling thread's record away. `false`: it has none. It gets another at its next use of the heap.
pub fn unregister() -> bool {
    let Some(mutator) = mutator::current() else { return false };
    let mask = signal::block_all();
    let is_released = match gate::enter(mutator) {
        Some(inside) => {
            // SAFETY: the record is our own, and nothing below uses a magazine.
            unsafe { refill::abandon(mutator) };
            tls::set_record(core::ptr::null_mut::<Mutator>());
            drop(inside);
            mutator.release();
            true
        }
        None => false,
    };
    signal::set_mask(mask);
    is_released
}

/// Finds threads without a record by the kernel's list, until every thread there is stands still.
fn stop_strangers(myself: &Mutator, stop: u32) -> Result<(), Abandoned> {
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

/// Makes this module right in a child process: the calling thread is the only one.
///
/// # Safety
/// Called in the child of a fork, by its only thread, with the gates closed by the parent's [`close_gates`] or, when
/// the fork went past our handlers, with nobody inside a gate.
pub unsafe fn become_child(myself: &Mutator) {
    myself.tid.store(thread::id(), Ordering::Relaxed);
    RESUMED.store(STOP.load(Ordering::Relaxed), Ordering::Relaxed);
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
        assert!(super::super::tables::TABLES.lock().ended_control_blocks.as_slice().contains(&FORMER));
    }

    #[test]
    fn a_stop_is_over_when_it_or_a_later_one_has_ended() {
        assert!(!is_over(8, 7));
        assert!(is_over(8, 8) && is_over(8, 9));
        assert!(!is_over(0, u32::MAX) && is_over(u32::MAX, 0), "the numbers wrap");
    }
}
