//! Answering: the stop signal, and what a thread does that gets it.
//!
//! ```text
//!   begin_stop          the number of the stop
//!   on_stop, answer     the thread publishes where it was interrupted, and sleeps
//!   end_stop, wake_all  all wake whose stop is over
//! ```
//!
//! The signal is one that the program does not use; when it claims ours, by a handler or in a set of signals to block or to
//! wait for, another takes its place. A set of nearly all signals claims none.
//!
//! Holds:   a thread that has answered a stop stays in its handler until that is over.
//! Threads: the stop's number is changed by who holds the world; the handler runs on any thread, in the middle of anything.

use crate::{
    base::sync::{AtomicI32, AtomicU32, AtomicU64, Ordering},
    heap::{
        gate,
        mutator::{self, Mutator},
    },
    os::{poll::Place, signal, sys, thread, tls},
};
use core::{arch::naked_asm, ffi::c_void};

/// The stop under way, or the last one; [`RESUMED`] has the number of the last one that is over.
static STOP: AtomicU32 = AtomicU32::new(0);
static RESUMED: AtomicU32 = AtomicU32::new(0);
/// The stop signal; zero: none is chosen. Relaxed: a number; who sends it finds out itself whether it arrives.
static SIGNAL: AtomicI32 = AtomicI32::new(0);
/// Signals that the program has claimed: not to be chosen again. Relaxed: changed by who holds the world.
static CLAIMED: AtomicU64 = AtomicU64::new(0);
/// Where a stopped thread looks for the end of the stop before it sleeps.
static STOPPED: Place = Place::new();

/// The signal that stops threads; zero before [`choose_signal`].
pub fn stop_signal() -> i32 {
    SIGNAL.load(Ordering::Relaxed)
}

/// The signals that are chosen from, the best first.
fn candidates() -> impl Iterator<Item = i32> {
    let (low, high) = signal::real_time_range();
    core::iter::once(signal::HARMLESS).chain((low..=high - 4).rev())
}

/// Installs the handler for `wanted`; for [`signal::HARMLESS`] or, if the program has that, an unclaimed real-time signal
/// when `wanted` is zero. `false` when the system refuses.
pub fn choose_signal(wanted: i32) -> bool {
    choose_outside(CLAIMED.load(Ordering::Relaxed), wanted)
}

/// As [`choose_signal`]; none of `claimed`, unless it is wanted.
fn choose_outside(claimed: signal::Set, wanted: i32) -> bool {
    let is_free = |&candidate: &i32| claimed & signal::set_of(candidate) == 0 && signal::is_unclaimed(candidate);
    let chosen = if wanted != 0 { Some(wanted) } else { candidates().find(is_free) };
    match chosen {
        Some(chosen) if signal::install(chosen, on_stop).is_ok() => {
            SIGNAL.store(chosen, Ordering::Relaxed);
            true
        }
        _ => false,
    }
}

/// Whether a program that blocks or waits for `set` means the stop signal: it is in it, and not all that could take its
/// place are.
pub fn is_claimed_by(set: signal::Set) -> bool {
    let ours = stop_signal();
    ours != 0 && set & signal::set_of(ours) != 0 && candidates().any(|other| set & signal::set_of(other) == 0)
}

/// Whether the stop signal has our handler; another signal gets it when the program has taken this one.
pub fn has_signal() -> bool {
    signal::is_installed(stop_signal(), on_stop) || choose_signal(0)
}

/// Moves to another signal, because the program claims ours, among others. The caller has [`hold`](super::hold) of the
/// world.
pub fn give_up_signal(claimed: signal::Set) -> bool {
    let old = SIGNAL.load(Ordering::Relaxed);
    let claimed = CLAIMED.load(Ordering::Relaxed) | claimed;
    if !choose_outside(claimed, 0) {
        return false;
    }
    CLAIMED.store(claimed, Ordering::Relaxed);
    signal::uninstall(old);
    true
}

/// Begins a stop: its number. The gates are closed.
pub fn begin_stop() -> u32 {
    let stop = STOP.load(Ordering::Relaxed).wrapping_add(1);
    // Release: pairs with the Acquire of `answer`; the handlers that see the number see the closed gates.
    STOP.store(stop, Ordering::Release);
    stop
}

/// Ends the stop under way. Whether there was one: whoever has answered it is to be woken ([`wake_all`]).
pub fn end_stop() -> bool {
    let stop = STOP.load(Ordering::Relaxed);
    // Release: what was done while the world was stopped is seen by those who wake.
    RESUMED.swap(stop, Ordering::Release) != stop
}

/// Wakes who sleeps in the handler, after the end of the stop.
pub fn wake_all() {
    sys::futex_wake(&RESUMED, i32::MAX as u32);
}

/// The stop under way was another process's.
pub fn forget_stop() {
    RESUMED.store(STOP.load(Ordering::Relaxed), Ordering::Relaxed);
}

/// Whether a thread has answered the stop with this number.
pub fn has_answered(record: &Mutator, stop: u32) -> bool {
    // Acquire: pairs with the Release of `answer`.
    record.stopped.load(Ordering::Acquire) == stop
}

/// The handler. All signals are blocked.
#[unsafe(naked)]
pub extern "C" fn on_stop(_: i32, _: *mut c_void, context: *mut c_void) {
    naked_asm!(crate::forget_registers!(), "jmp {stop}", stop = sym stop)
}

/// As [`on_stop`].
extern "C" fn stop(_: i32, _: *mut c_void, context: *mut c_void) {
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
    // Acquire: the first pairs with the Release of `begin_stop`, the second, here and below, with that of `end_stop`.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_over_when_it_or_a_later_one_has_ended() {
        assert!(!is_over(8, 7));
        assert!(is_over(8, 8) && is_over(8, 9));
        assert!(!is_over(0, u32::MAX) && is_over(u32::MAX, 0), "the numbers wrap");
    }
}
