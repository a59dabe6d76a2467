//! Gates: a slow path runs inside its thread's gate, and a collector closes all gates before it stops the world.
//!
//! ```text
//!   thread                                  collector
//!   inside = 1                              STOPPING = 1
//!   (light side of the barrier)             (heavy side of the barrier)
//!   STOPPING? -> inside = 0, wait           inside of every thread = 0? else wait
//!   … slow path …                           -> nobody holds a lock of ours, nobody changes a bitmap
//!   inside = 0
//!   (light side of the barrier)
//!   STOPPING? -> wake the collector
//! ```
//!
//! Either the thread sees `STOPPING`, or the collector sees `inside`: the barrier pair orders the two stores before the
//! two loads (Dekker), and the kernel does the work on the rare side, so that entering costs no fence.
//!
//! A thread that has seen `STOPPING` waits until that is over. If it says so, by the number of the closing, no barrier is
//! needed for it: it cannot read an older value any more. Where all threads say so the kernel has nothing to do.
//!
//! A thread that waits at its gate is in a *safe region*: its registers are on its stack, its stack pointer is
//! published, all signals are blocked. It counts as stopped and gets no signal.
//!
//! Holds: nothing read from a magazine before the gate is valid after it.

use super::mutator::Mutator;
use crate::{
    base::{
        addr::Addr,
        sync::{AtomicBool, AtomicU32, Ordering},
    },
    os::{mem, poll, signal, stack, sys, thread},
};

/// The number of the closing while a collector or a fork keeps the gates closed, else zero: what threads at their gates
/// sleep on.
pub static STOPPING: AtomicU32 = AtomicU32::new(0);
/// Another number after each closing and each opening, odd while the gates are closed: for who opens a region, which must
/// not miss a closing that is over by then. Relaxed: the barrier orders it as it does `STOPPING`.
pub static PHASE: AtomicU32 = AtomicU32::new(0);
/// The number of the last closing. Guarded by the world's lock.
static CLOSINGS: AtomicU32 = AtomicU32::new(0);
/// Counts what a collector may wait for: gates left, regions entered, stops answered. It sleeps on this.
static CHANGED: AtomicU32 = AtomicU32::new(0);
/// The thread that keeps the gates closed; it may pass them itself.
static STOPPER: AtomicU32 = AtomicU32::new(0);
/// Whether the closing is a stop's, which sends signals, and not a fork's. Relaxed: written before `STOPPING`.
static IS_STOP: AtomicBool = AtomicBool::new(false);

/// Where threads wait for the gates to open.
static CLOSED: poll::Place = poll::Place::new();

/// Closes the gates for everybody but the calling thread, to signal nobody. It holds the world's lock.
#[unsafe(link_section = ".text.hot")]
pub fn close(tid: u32) {
    IS_STOP.store(false, Ordering::Relaxed);
    shut(tid);
    finish_closing();
}

/// Closes the gates for a stop, but for threads that have not seen it yet: of those that [`have_come`](has_come) it is
/// known.
pub fn begin_closing(tid: u32) {
    IS_STOP.store(true, Ordering::Relaxed);
    shut(tid);
}

fn shut(tid: u32) {
    STOPPER.store(tid, Ordering::Relaxed);
    let number = CLOSINGS.load(Ordering::Relaxed).wrapping_add(1).max(FIRST_CLOSING);
    CLOSINGS.store(number, Ordering::Relaxed);
    PHASE.store(PHASE.load(Ordering::Relaxed).wrapping_add(1) | 1, Ordering::Relaxed);
    // The barrier orders it before the looks at each gate, and the threads' loads of it after their stores. Release: as
    // in `open`, for who has waited since the closing before this one and goes on now.
    STOPPING.store(number, Ordering::Release);
}

/// Closes the gates for the others, too.
pub fn finish_closing() {
    thread::barrier_all();
}

/// Whether the thread has seen that the gates are closed, and waits for them to open. It needs no barrier.
pub fn has_come(mutator: &Mutator) -> bool {
    // Acquire: pairs with the Release of `end_region`, so the stack, where it begins, and all slow paths are seen.
    mutator.region.load(Ordering::Acquire) == STOPPING.load(Ordering::Relaxed)
}

/// Opens the gates and wakes who waits at them.
pub fn open() {
    STOPPER.store(0, Ordering::Relaxed);
    PHASE.store((PHASE.load(Ordering::Relaxed) | 1).wrapping_add(1), Ordering::Relaxed);
    // Release: what was done while the gates were closed is seen by whoever passes one.
    STOPPING.store(0, Ordering::Release);
    sys::futex_wake(&STOPPING, i32::MAX as u32);
}

/// Whether thread `tid` keeps the gates closed.
pub fn is_closed_by(tid: u32) -> bool {
    is_closed() && STOPPER.load(Ordering::Relaxed) == tid
}

/// Whether the gates are closed.
#[inline(always)]
pub fn is_closed() -> bool {
    closing() != 0
}

/// The number of the closing that is on; zero: the gates are open.
#[inline(always)]
fn closing() -> u32 {
    STOPPING.load(Ordering::Acquire)
}

/// `Mutator::inside`, while the thread collects: what it asks for then is a panic's, and there is no way in.
pub const COLLECTING: u32 = 2;

/// The proof that this thread is inside its gate; dropping it leaves.
pub struct Inside<'a> {
    mutator: &'a Mutator,
}

impl Inside<'_> {
    /// Stays inside after the proof is gone, until [`leave_held`].
    pub fn hold(self) {
        core::mem::forget(self);
    }
    /// Whose gate it is.
    #[inline(always)]
    pub fn mutator(&self) -> &Mutator {
        self.mutator
    }
}

impl Drop for Inside<'_> {
    #[inline]
    fn drop(&mut self) {
        leave(self.mutator);
    }
}

/// Enters the gate, waiting while it is closed. `None` when the thread is inside already: a signal handler interrupted
/// a slow path and came back in, or a panic interrupted a slow path or a collection.
#[inline]
pub fn enter(mutator: &Mutator) -> Option<Inside<'_>> {
    if mutator.inside.load(Ordering::Relaxed) != 0 {
        return None;
    }
    loop {
        mutator.inside.store(1, Ordering::Relaxed);
        thread::fence_if_needed();
        if !is_closed() || STOPPER.load(Ordering::Relaxed) == mutator.tid.load(Ordering::Relaxed) {
            return Some(Inside { mutator });
        }
        leave(mutator);
        wait(mutator);
    }
}

/// Leaves the gate that the calling thread has stayed in by [`Inside::hold`].
pub fn leave_held(mutator: &Mutator) {
    leave(mutator);
}

#[inline]
fn leave(mutator: &Mutator) {
    // Release: pairs with the collector's Acquire load of `inside`, which then sees all that the slow path wrote.
    mutator.inside.store(0, Ordering::Release);
    thread::fence_if_needed();
    if is_closed() {
        announce();
    }
}

/// Tells a collector to look again.
#[cold]
pub fn announce() {
    // Release: pairs with the Acquire of `look_or_sleep`.
    CHANGED.fetch_add(1, Ordering::Release);
    sys::futex_wake(&CHANGED, i32::MAX as u32);
}

/// For a collector: whether `is_done`. If not, it sleeps until somebody has announced something, for `timeout_ns` at
/// most, and the caller looks again.
pub fn look_or_sleep(timeout_ns: u64, is_done: impl FnOnce() -> bool) -> bool {
    // Before looking: what is announced from here on keeps us from falling asleep.
    let seen = CHANGED.load(Ordering::Acquire);
    if is_done() {
        return true;
    }
    sys::futex_wait(&CHANGED, seen, Some(timeout_ns));
    false
}

/// For a collector that has closed the gates: whether the thread is outside its gate, where it stays.
pub fn is_outside(mutator: &Mutator) -> bool {
    // Acquire: pairs with the Release of `leave`, so all that the slow path wrote is seen.
    mutator.inside.load(Ordering::Acquire) == 0
}

/// For a collector that has closed the gates: whether the thread is in a safe region, where it stays.
pub fn is_in_region(mutator: &Mutator) -> bool {
    // Acquire: pairs with the Release of `begin_region`, so the stack and where it begins are seen.
    let region = mutator.region.load(Ordering::Acquire);
    // Relaxed: the caller's own store.
    region == IN_REGION || region == STOPPING.load(Ordering::Relaxed)
}

/// For a collector that has closed the gates: whether the thread waits in a call of the C library's. It stays there, or
/// at its end; what a handler does meanwhile is another matter.
pub fn is_in_call(mutator: &Mutator) -> bool {
    // Acquire: pairs with the Release of `region::open`, so the stack and where it begins are seen.
    mutator.region.load(Ordering::Acquire) == IN_CALL
}

/// What [`has_been_open`] is asked about.
pub fn phase() -> u32 {
    PHASE.load(Ordering::Relaxed)
}

/// For a thread that has opened a region: whether no stop can have sent it a signal that is still on its way. If not, it
/// calls [`outlast_stop`].
///
/// ```text
///   thread                                  collector
///   phase = PHASE                           PHASE = odd
///   region = IN_CALL                        (heavy side of the barrier)
///   (light side of the barrier)             region = IN_CALL? else send the signal
///   PHASE = phase, and even?                wait until the thread stands still, in the region or in the handler
///                                           PHASE = even
/// ```
///
/// Either the collector finds the region, or the thread another phase. The same even phase twice: what was sent before it
/// has come, for the thread was in no region then.
pub fn has_been_open(phase: u32) -> bool {
    phase.is_multiple_of(2) && PHASE.load(Ordering::Relaxed) == phase
}

/// For a thread that has opened a region beside a closing: from its return on no stop signal comes to it before the region
/// ends.
///
/// A signal that is on its way was sent before the gates open, and the next closing finds the region. The thread waits with
/// its signals open, for who does not count on its region wants an answer.
///
/// A fork sends none, and may wait for a lock that this thread has: it is not waited for. Nor is a collector that a
/// process which forked past the C library has no copy of.
pub fn outlast_stop(mutator: &Mutator) {
    let number = closing();
    announce();
    let is_own = STOPPER.load(Ordering::Relaxed) == mutator.tid.load(Ordering::Relaxed);
    let is_stop = number != 0 && IS_STOP.load(Ordering::Relaxed) && !is_own && !mem::is_unmarked_copy();
    while is_stop && closing() == number {
        wait_for_change(number);
    }
    signal::let_in();
}

fn wait_for_change(number: u32) {
    if !CLOSED.look(|| closing() != number) {
        sys::futex_wait(&STOPPING, number, None);
    }
}

/// Waits at a closed gate, in a safe region and with all signals blocked.
#[cold]
#[unsafe(link_section = ".text.hot")]
fn wait(mutator: &Mutator) {
    let mask = signal::block_all();
    in_safe_region(mutator, || {});
    signal::set_mask(mask);
}

/// Runs `work` as a safe region: the world may be stopped and collected meanwhile without a signal to this thread.
/// Returns when no stop is under way that counts on it.
///
/// `work` must not change what it can reach of the heap.
pub fn in_safe_region<F: FnOnce()>(mutator: &Mutator, work: F) {
    struct Call<'a, F> {
        mutator: &'a Mutator,
        work: Option<F>,
    }
    unsafe extern "C" fn run<F: FnOnce()>(sp: Addr, data: *mut core::ffi::c_void) {
        // SAFETY: `data` is the `Call` below, which waits for us.
        let call = unsafe { &mut *data.cast::<Call<'_, F>>() };
        begin_region(call.mutator, sp);
        if let Some(work) = call.work.take() {
            work();
        }
        end_region(call.mutator);
    }
    let mut call = Call { mutator, work: Some(work) };
    // SAFETY: `run` takes a pointer to this `Call`.
    unsafe { stack::with_registers_spilled(run::<F>, (&raw mut call).cast()) };
}

/// Says that this thread's registers lie on its stack at or above `sp`, and that it changes nothing of the heap.
pub fn begin_region(mutator: &Mutator, sp: Addr) {
    mutator.region_sp.store(sp.get(), Ordering::Relaxed);
    // Release: pairs with the collector's Acquire load of `region`, which then sees the stack pointer and the stack.
    mutator.region.store(IN_REGION, Ordering::Release);
    thread::fence_if_needed();
    if is_closed() {
        announce();
    }
}

/// `Mutator::region`: the thread is in a safe region and does not leave it while the gates are closed.
pub const IN_REGION: u32 = 1;
/// It looks whether it may leave. If a collector has counted it as stopped before, it is going to find that it may not;
/// what it published is valid all the time.
pub const LEAVING_REGION: u32 = 2;
/// It is about to be in one, unless a handler comes first and uses the heap: the handler sets another value.
pub const OPENING_REGION: u32 = 3;
/// It waits in a call of the C library's, as if in a safe region; but a handler of the program's may run there.
pub const IN_CALL: u32 = 4;
/// From here on: it waits at the end of a region, or at its gate, for the end of the closing with this number, which it
/// has seen.
const FIRST_CLOSING: u32 = 5;

/// Ends a safe region; waits while the world is stopped.
///
/// It waits for one closing. When the next one has begun before it could run, it goes on, and the collector does not
/// count on it: else a thread that collects again and again would keep it here for ever.
pub fn end_region(mutator: &Mutator) {
    let mut waited_for = 0;
    while let Err(number) = try_end_region(mutator)
        && (waited_for == 0 || waited_for == number)
        && !mem::is_unmarked_copy()
    {
        waited_for = number;
        // Release: as in `begin_region`; LEAVING_REGION has hidden what that one did.
        mutator.region.store(number, Ordering::Release);
        announce();
        wait_for_change(number);
    }
    mutator.region.store(0, Ordering::Relaxed);
}

/// Ends a safe region if the world goes on. If not, it gives the number of the closing, and [`end_region`] looks again.
pub fn try_end_region(mutator: &Mutator) -> Result<(), u32> {
    mutator.region.store(LEAVING_REGION, Ordering::Relaxed);
    thread::fence_if_needed();
    match closing() {
        0 => {
            mutator.region.store(0, Ordering::Relaxed);
            Ok(())
        }
        number => Err(number),
    }
}
