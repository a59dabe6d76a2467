//! What comes before the first object of a Rust program: the options of its environment, what forks and threads that end
//! need of a heap, and that there are last words.
//!
//! A library that C programs load has a constructor for that, and a destructor. Here it is the first slow path, which comes before any object:
//! ordinarily long before `main`, while one thread runs.

use super::{at_exit, options};
use crate::{
    base::sync::{AtomicU32, Ordering},
    collect::start,
    os,
};

static BEGUN: AtomicU32 = AtomicU32::new(0);

/// Reads `GLEANER_OPTIONS` and sets the heap up, once.
#[inline]
pub(super) fn begin() {
    // Relaxed: options are words of their own, and who reads one that is not set yet goes on as if there were none.
    if BEGUN.load(Ordering::Relaxed) == 0 {
        read_options_and_set_up();
    }
}

#[cold]
fn read_options_and_set_up() {
    if BEGUN.swap(1, Ordering::Relaxed) != 0 {
        return;
    }
    if let Some(text) = os::variable(c"GLEANER_OPTIONS") {
        options::set_all(text);
    }
    // Refused, it is a heap all the same, and starting will say so.
    start::set_heap_up();
    // SAFETY: as long as this heap is a program's allocator, its code stays loaded; a library of Rust's that goes has the
    // function called before.
    let _ = unsafe { os::sys::at_exit(at_exit::report) };
}
