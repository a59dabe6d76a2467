//! Records: a thread gets one when it first uses the heap, and may give it back.
//!
//! Most never do: a thread that has ended is found to have ended ([`ended`]).
//!
//! Threads: the calling thread's own record.

use crate::{
    collect::ended,
    heap::{
        gate,
        mutator::{self, Mutator},
        refill,
    },
    os::{signal, tls},
};

/// This thread's record, as [`mutator::register`] has it; a thread that gets one now clears up after others.
#[inline]
pub fn register() -> Option<&'static Mutator> {
    match mutator::current() {
        Some(mutator) => Some(mutator),
        None => register_anew(),
    }
}

#[cold]
#[unsafe(link_section = ".text.hot")]
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
