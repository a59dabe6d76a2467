//! The program's safe regions: where a thread leaves the heap alone, so that it need not be stopped (`gc_blocking`).
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
//! the rules of outside.

use super::{gate, mutator::Mutator};
use crate::{
    base::{addr::Addr, sync::Ordering},
    os::{jump, tls},
};

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
    // Relaxed: only this thread reads it, in `is_left_by`.
    mutator.region_frame.store(frame.get(), Ordering::Relaxed);
    tls::set_hidden_record(core::ptr::from_ref(mutator).cast_mut());
    tls::set_record(core::ptr::null_mut::<Mutator>());
    gate::begin_region(mutator, sp);
    if !is_open() {
        // A signal handler used the heap since the record was hidden.
        gate::end_region(mutator);
    }
}

/// Ends the region that this thread is in, waiting while the world is stopped. Gives its record; `None`: it is in none.
pub fn leave() -> Option<&'static Mutator> {
    let mutator = hidden()?;
    gate::end_region(mutator);
    tls::set_record(core::ptr::from_ref(mutator).cast_mut());
    tls::set_hidden_record(core::ptr::null_mut::<Mutator>());
    Some(mutator)
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
