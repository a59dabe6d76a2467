//! Alternate stacks: where a thread's signal handlers run, when it has told the kernel so by `sigaltstack`.
//!
//! Many programs take that memory from `malloc` and keep no pointer to it. It has to stay theirs: a signal may come at any
//! time, the stop signal too, and then the kernel writes there.
//!
//! | a thread | is asked for its stack |
//! |---|---|
//! | any | by its record, where the door's `sigaltstack` has noted it |
//! | stopped by a signal | by the context that the kernel has made: it was not noted if a system call of the program's own set it |
//! | the collecting one | by the kernel |
//!
//! Holds:   what one of them names is reachable.
//! Threads: the collecting thread; all others are stopped or in safe regions. A thread notes its own.

use super::{
    Myself, Source, Visitor,
    blind::{Place, is_blind},
    reading::visit_word,
    stacks,
};
use crate::{
    base::sync::Ordering,
    heap::mutator::{self, Mutator},
    os::{signal, thread},
};

/// Notes where the calling thread's alternate stack begins; zero for none. The thread has a record, or the stack is none
/// of the heap's.
pub fn note(start: usize) {
    // A child that shares its parent's memory has the parent's record before it, and a stack of its own.
    let own = mutator::current_or_hidden().filter(|mutator| mutator.tid.load(Ordering::Relaxed) == thread::id());
    if let Some(mutator) = own {
        // Relaxed: a collector reads it when the thread stands still.
        mutator.alternate_stack.store(start, Ordering::Relaxed);
    }
}

/// The address of the thread's alternate stack, by all who know one.
pub fn visit(record: &Mutator, myself: Myself<'_>, visit: &mut Visitor<'_>) {
    if is_blind(Place::Alternate) {
        return;
    }
    let of_kernel = if core::ptr::eq(record, myself.mutator) {
        signal::own_alternate_stack().ss_sp as usize
    } else {
        // SAFETY: the thread is stopped in its handler, so its context is there.
        stacks::context(record, myself).map_or(0, |context| unsafe { signal::alternate_stack(context) })
    };
    // Relaxed: see `note`.
    for start in [record.alternate_stack.load(Ordering::Relaxed), of_kernel] {
        if start != 0 {
            visit_word(Source::Kernel, start, visit);
        }
    }
}
