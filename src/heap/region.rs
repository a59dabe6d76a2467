//! The program's safe regions: where a thread leaves the heap alone, so that it need not be stopped (`gc_blocking`, and
//! behind `malloc` the calls of the C library that wait).
//!
//! The promise is checked where that costs nothing. While a region is open, the thread's record is hidden: its TLS word
//! is null, and all fast paths take the slow path, which registers, and there the region ends
//! before the heap is touched. So an allocation in a region, or in a signal handler that interrupted one, is right; it
//! only ends the region early.
//!
//! A thread that jumps out of a region has to end it before it runs on: [`is_left_by`] tells.
//!
//! Threads: each function is about the calling thread. A signal handler may come in between any two steps; the record
//! is hidden before the region opens and comes back after it has ended, so what a handler does in between is done by
//! the rules of outside. One that comes while the region is being opened and uses the heap ends it before it has begun:
//! the state is not "opening" any more, and opening fails.

use super::{gate, mutator::Mutator};
use crate::{
    base::{
        addr::Addr,
        sync::{AtomicBool, AtomicU32, Ordering},
    },
    os::{jump, signal, thread, tls},
};

/// Not zero: no calls are opened, because there has been one thread only, they may be made by somebody who shares a thread's
/// control block, or handlers run there unnoticed. Relaxed: a call that opens all the same is judged at the next stop.
pub static SUSPENDED: AtomicU32 = AtomicU32::new(1);
static HAS_THREADS: AtomicBool = AtomicBool::new(false);

/// Whether [`note_second_thread`] has been called.
pub(super) fn has_threads() -> bool {
    HAS_THREADS.load(Ordering::Relaxed)
}

/// There is a second thread, which may want to stop the first. The caller has the lock of the records.
pub(super) fn note_second_thread() {
    if !HAS_THREADS.load(Ordering::Relaxed) {
        HAS_THREADS.store(true, Ordering::Relaxed);
        SUSPENDED.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The record of this thread while it is in a region of the program's.
fn hidden() -> Option<&'static Mutator> {
    // SAFETY: the word is null or this thread's record, and records live for ever.
    unsafe { tls::hidden_record::<Mutator>().as_ref() }
}

/// Whether this thread is in a region.
pub fn is_open() -> bool {
    hidden().is_some()
}

/// Opens a region: this thread's registers lie on its stack at or above `sp`, and what runs inside lies below `frame`.
pub fn enter(mutator: &Mutator, sp: Addr, frame: Addr) {
    open(mutator, gate::IN_REGION, sp, frame);
}

/// Opens a region as [`enter`] does, or a call by [`gate::IN_CALL`]. A door's assembly does the same.
pub fn open(mutator: &Mutator, state: u32, sp: Addr, frame: Addr) {
    loop {
        let phase = gate::phase();
        // Relaxed: only this thread reads them, until the region is open.
        mutator.region.store(gate::OPENING_REGION, Ordering::Relaxed);
        tls::set_hidden_record(core::ptr::from_ref(mutator).cast_mut());
        tls::set_record(core::ptr::null_mut::<Mutator>());
        mutator.region_sp.store(sp.get(), Ordering::Relaxed);
        mutator.region_frame.store(frame.get(), Ordering::Relaxed);
        // Release: pairs with the collector's Acquire load of `region`, which then sees the stack pointer and the stack.
        let opened = mutator.region.compare_exchange(gate::OPENING_REGION, state, Ordering::Release, Ordering::Relaxed);
        if opened.is_err() {
            // A signal handler used the heap since the record was hidden.
            return show(mutator);
        }
        thread::fence_if_needed();
        if gate::has_been_open(phase) || outlast_stop(mutator) {
            return;
        }
    }
}

/// The region has been opened beside a closing of the gates: after this no stop signal comes in it. `false`: a handler has
/// ended it meanwhile.
#[cold]
pub extern "C" fn outlast_stop(mutator: &Mutator) -> bool {
    // Relaxed: only this thread uses it. What is cut short here is no call of the program's.
    let cut_short = mutator.calls_cut_short.load(Ordering::Relaxed);
    gate::outlast_stop(mutator);
    mutator.calls_cut_short.store(cut_short, Ordering::Relaxed);
    is_open()
}

/// Ends the region that this thread is in, waiting while the world is stopped. Gives its record; `None`: it is in none.
pub fn leave() -> Option<&'static Mutator> {
    let mutator = hidden()?;
    if gate::try_end_region(mutator).is_ok() {
        show(mutator);
    } else {
        leave_when_open(mutator);
    }
    Some(mutator)
}

/// The record is this thread's again.
fn show(mutator: &Mutator) {
    tls::set_record(core::ptr::from_ref(mutator).cast_mut());
    tls::set_hidden_record(core::ptr::null_mut::<Mutator>());
}

/// Ends the region of this thread, which has found that it has to wait. No handler may come in between: what it did would
/// be done while the thread counts as stopped.
///
/// It waits in a region of its own, down to here: a handler that nobody announced may have run in the first one, and what
/// it has loaded lies below that one's stack pointer.
#[cold]
#[unsafe(link_section = ".text.hot")]
pub extern "C" fn leave_when_open(mutator: &Mutator) {
    let mask = signal::block_all();
    if is_open() {
        gate::in_safe_region(mutator, || {});
        show(mutator);
    } else {
        // A handler has ended the region since, and the state was overwritten.
        mutator.region.store(0, Ordering::Relaxed);
    }
    signal::set_mask(mask);
}

/// Whether a jump from `here` to a frame with the stack pointer `target` leaves this thread's region.
///
/// It does not when it ends between `here` and the region's frame, on the same stack. A handler that runs on an
/// alternate stack cannot compare: then it does.
pub fn is_left_by(here: Addr, target: Addr) -> bool {
    let Some(mutator) = hidden() else { return false };
    let frame = Addr::new(mutator.region_frame.load(Ordering::Relaxed));
    target < here || target >= frame || jump::is_on_alternate_stack()
}
