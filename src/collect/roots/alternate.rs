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
//! Where it is a mapping, another thread may unmap it, as the standard library of Rust does with the main thread's before it
//! calls `exit`. The kernel would write the stop signal's frame into whatever comes to lie there, or end the process. So a
//! door that has `munmap` leaves it mapped ([`of_another_thread`]).
//!
//! Holds:   what one of them names is reachable.
//! Threads: the collecting thread; all others are stopped or in safe regions. A thread notes its own.

use super::{
    Myself, Source, Visitor,
    blind::{Place, is_blind},
    reading::{self, visit_word},
    stacks,
};
use crate::{
    base::{
        addr::{Addr, Range},
        sync::{AtomicUsize, Ordering},
    },
    heap::{
        cage,
        mutator::{self, Mutator},
    },
    os::{signal, thread},
};

/// What lies between all mappings that were ever noted. Relaxed: who unmaps a stack has learned of it from the thread that noted it.
static LOWEST: AtomicUsize = AtomicUsize::new(usize::MAX);
static HIGHEST: AtomicUsize = AtomicUsize::new(0);

/// Notes the calling thread's alternate stack; an empty one for none. The thread has a record, unless there is no memory for
/// it: it is asked again when it is stopped.
pub fn note(stack: Range) {
    // A child that shares its parent's memory has the parent's record before it, and a stack of its own.
    let own = mutator::current_or_hidden().filter(|mutator| mutator.tid.load(Ordering::Relaxed) == thread::id());
    if let Some(mutator) = own {
        // Relaxed: a collector reads it when the thread stands still, and see `LOWEST`.
        mutator.alternate_stack_bytes.store(stack.bytes(), Ordering::Relaxed);
        mutator.alternate_stack.store(stack.start.get(), Ordering::Relaxed);
        if !stack.is_empty() && !cage::contains(stack.start) {
            LOWEST.fetch_min(stack.start.get(), Ordering::Relaxed);
            HIGHEST.fetch_max(stack.end.get(), Ordering::Relaxed);
        }
    }
}

/// The first alternate stack in a range that is another thread's, in whole pages.
pub fn of_another_thread(range: Range) -> Option<Range> {
    if range.start.get() >= HIGHEST.load(Ordering::Relaxed) || range.end.get() <= LOWEST.load(Ordering::Relaxed) {
        return None;
    }
    let own = thread::id();
    let pages_of = |record: &'static Mutator| {
        let tid = record.tid.load(Ordering::Relaxed);
        let start = record.alternate_stack.load(Ordering::Relaxed);
        let stack = Range::sized(Addr::new(start), record.alternate_stack_bytes.load(Ordering::Relaxed));
        let pages = reading::whole_pages(stack).intersect(range);
        // One that has ended is not in the kernel's hands any more.
        let is_in_use = record.is_alive() && start != 0 && !pages.is_empty() && tid != own && !thread::has_ended(tid);
        is_in_use.then_some(pages)
    };
    mutator::all().filter_map(pages_of).min_by_key(|pages| pages.start)
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
