//! What is left out of mappings and static data, because it is searched as part of something smaller, or never.
//!
//! ```text
//!   a mapping   | ours | ......... | dead part | frames  control | ........ | a fiber's stack | ... |
//!   searched             as words               as a stack         as words                     as words
//! ```
//!
//! What is ours would keep everything alive, being full of addresses; the dead part of a stack may hold any of them. The
//! stacks of fibers are searched when their records are ([`fibers`](crate::collect::fibers)).
//!
//! Holds:   the parts left out are in ascending order, and so are the used parts of stacks, each behind a part left out.
//! Threads: the collecting thread; the world is stopped.

use super::{
    Myself, Unknown, mappings,
    stacks::{self, Used},
};
use crate::{
    base::{
        addr::{Addr, Range},
        sync::Ordering,
    },
    collect::{fibers::Fibers, table::List},
    heap::{
        cage,
        mutator::{self, Mutator},
    },
    os::{mem, memcheck, sys},
};

/// See the module's documentation.
pub struct LeftOut {
    /// Parts of mappings that are not roots.
    ranges: List<Range>,
    /// The used parts of stacks.
    stacks: List<Used>,
}

impl LeftOut {
    /// Nothing, without memory.
    pub const fn new() -> Self {
        LeftOut { ranges: List::new(), stacks: List::new() }
    }

    /// Finds it: the stacks of fibers, and where mappings are roots what is ours and the dead parts of threads' stacks.
    pub fn find(&mut self, myself: Myself<'_>, fibers: &Fibers) -> Result<(), Unknown> {
        self.ranges.clear();
        self.stacks.clear();
        // Room first: adding to the list may map memory, and the list of what is ours is locked while it is read.
        let mut count = 0;
        mem::for_each_range(|_| count += 1);
        if self.stacks.reserve(mutator::count_alive()).is_err()
            || self.ranges.reserve(count + mutator::count_alive() + fibers.count() + 64).is_err()
        {
            return Err(Unknown);
        }
        let mut complete = true;
        fibers.for_each_stack(|stack| complete &= cage::contains(stack.start) || self.ranges.push(stack).is_ok());
        if mappings::are_roots() {
            mem::for_each_range(|range| complete &= self.ranges.push(range).is_ok());
            let is_apart = |record: &&Mutator| record.is_alive() && !is_listed_as_stack(record, myself);
            for record in mutator::all().filter(is_apart) {
                complete &= self.add_stack(record, myself);
            }
        }
        self.stacks.as_mut_slice().sort_unstable_by_key(|used| used.frames.start);
        self.ranges.as_mut_slice().sort_unstable_by_key(|range| range.start);
        if complete { Ok(()) } else { Err(Unknown) }
    }

    /// Adds the dead and the used part of a thread's own stack, unless that lies in an object. `false`: no memory.
    fn add_stack(&mut self, record: &Mutator, myself: Myself<'_>) -> bool {
        let stack = record.stack();
        match stacks::own_stack_from(record, myself).filter(|_| !cage::contains(stack.start)) {
            Some(from) => {
                self.ranges.push(Range::new(stack.start, from)).is_ok()
                    && self.stacks.push(Used::of(record, Range::new(from, stack.end))).is_ok()
            }
            None => true,
        }
    }

    /// Visits the parts of `range` that are not left out.
    pub fn without(&self, range: Range, visit: impl FnMut(Range)) {
        without(range, self.ranges.as_slice(), visit);
    }

    /// As much of `part` as is the used part of a stack, from its start; empty if none begins there.
    pub fn used_stack(&self, part: Range) -> Used {
        let stacks = self.stacks.as_slice();
        let found = stacks.binary_search_by_key(&part.start, |used| used.frames.start).map(|index| stacks[index]);
        let nothing = Range::new(part.start, part.start);
        found.map_or(Used { frames: nothing, control: nothing }, |Used { frames, control }| Used {
            frames: Range::new(part.start, frames.end.min(part.end)),
            control: Range::new(frames.end.min(part.end), control.end.min(part.end)),
        })
    }
}

/// Whether the kernel's list says of a thread's own stack that it is one.
fn is_listed_as_stack(record: &Mutator, myself: Myself<'_>) -> bool {
    // Valgrind gives the main thread a stack that the kernel does not list as such. Nor does it list that of a thread that
    // has forked and is its process's first now: there the control block is at the cold end.
    let tp = Addr::new(record.thread_pointer.load(Ordering::Relaxed));
    let ends_in_control_block = |from| Range::new(from, record.stack().end).contains(tp);
    record.tid.load(Ordering::Relaxed) == sys::process_id()
        && !memcheck::is_simulated()
        && !stacks::own_stack_from(record, myself).is_some_and(ends_in_control_block)
}

/// Visits the parts of `range` that none of some ranges covers, which are in ascending order.
pub fn without(range: Range, left_out: &[Range], mut visit: impl FnMut(Range)) {
    let mut start = range.start;
    let first = left_out.partition_point(|cut| cut.end <= range.start);
    for cut in left_out[first..].iter().take_while(|cut| cut.start < range.end) {
        let part = Range::new(start, cut.start.min(range.end));
        if !part.is_empty() {
            visit(part);
        }
        start = start.max(cut.end);
    }
    let part = Range::new(start, range.end);
    if !part.is_empty() {
        visit(part);
    }
}
