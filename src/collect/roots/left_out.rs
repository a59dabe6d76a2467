//! What is left out of mappings and static data, because it is searched as part of something smaller, or never.
//!
//! ```text
//!   a mapping   | ours | ......... | dead part | frames  control | ........ | a fiber's stack | ... |
//!   searched             as words               as a stack         as words                     as words
//! ```
//!
//! What is ours, mapped or a table in static data, would keep everything alive, being full of addresses; the dead part of a
//! stack may hold any of them. The stacks of fibers are searched when their records are ([`fibers`](crate::collect::fibers)).
//! And a thread that was stopped while it had an alternate stack has left its registers there ([`stop_frame`]).
//!
//! Holds:   the parts left out are in ascending order, and so are the used parts of stacks, each behind a part left out.
//! Threads: the collecting thread; the world is stopped.

use super::{
    Fault, Myself, Unknown, mappings,
    stacks::{self, Used},
    static_data, stop_frame,
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
            || self.ranges.reserve(count + 2 * mutator::count_alive() + fibers.count() + 64).is_err()
        {
            return Err(Unknown);
        }
        let mut complete = true;
        fibers.for_each_stack(|stack| complete &= cage::contains(stack.start) || self.ranges.push(stack).is_ok());
        if mappings::are_roots() {
            mem::for_each_range(|range| complete &= self.ranges.push(range).is_ok());
            static_data::own_tables().iter().for_each(|&table| complete &= self.ranges.push(table).is_ok());
            let is_apart = |record: &&Mutator| record.is_alive() && !is_listed_as_stack(record, myself);
            for record in mutator::all().filter(is_apart) {
                complete &= self.add_stack(record, myself);
            }
        }
        for record in mutator::all().filter(|record| record.is_alive()) {
            if let Some(frame) = stop_frame::of(record, myself).filter(|frame| fibers.stack_at(frame.start).is_none()) {
                complete &= self.ranges.push(frame).is_ok();
            }
        }
        self.stacks.as_mut_slice().sort_unstable_by_key(|used| used.frames.start);
        self.ranges.as_mut_slice().sort_unstable_by_key(|range| range.start);
        if complete { Ok(()) } else { Err(Unknown) }
    }

    /// Adds the dead and the used part of a thread's own stack, unless that lies in an object. `false`: no memory.
    fn add_stack(&mut self, record: &Mutator, myself: Myself<'_>) -> bool {
        let stack = record.stack();
        if stack.is_empty() || cage::contains(stack.start) {
            return true;
        }
        // A thread that stands elsewhere may have left something anywhere on its own stack.
        let from = stacks::own_stack_from(record, myself).unwrap_or(stack.start);
        self.ranges.push(Range::new(stack.start, from)).is_ok()
            && self.stacks.push(Used::of(record, Range::new(from, stack.end))).is_ok()
    }

    /// The part of `verify` that is about these lists; see the module's documentation.
    pub fn check(&self) -> Result<(), Fault> {
        let ranges = self.ranges.as_slice();
        if let Some(pair) = ranges.windows(2).find(|pair| pair[0].start > pair[1].start) {
            return Err(Fault::LeftOut(pair[1].start));
        }
        let is_left_out = |table: &Range| ranges.iter().any(|range| range.intersect(*table) == *table);
        if let Some(table) = static_data::own_tables().iter().find(|table| mappings::are_roots() && !is_left_out(table))
        {
            return Err(Fault::Segment(table.start));
        }
        let mut end = Addr::NULL;
        for Used { frames, control } in self.stacks.as_slice() {
            let is_whole = frames.start <= frames.end && frames.end == control.start && control.start <= control.end;
            let is_behind = ranges.iter().any(|range| range.end == frames.start);
            if !is_whole || !is_behind || frames.start < end {
                return Err(Fault::Stack(frames.start));
            }
            end = control.end;
        }
        Ok(())
    }

    /// Visits the parts of `range` that are not left out.
    pub fn without(&self, range: Range, visit: impl FnMut(Range)) {
        without(range, self.ranges.as_slice(), visit);
    }

    /// The used parts of stacks that begin in `range`.
    pub fn stacks_in(&self, range: Range) -> impl Iterator<Item = Used> {
        let stacks = self.stacks.as_slice();
        let first = stacks.partition_point(|used| used.frames.start < range.start);
        stacks[first..].iter().take_while(move |used| used.frames.start < range.end).copied()
    }

    /// As much of `part` as is the used part of a stack that begins with it, or before it: the kernel lists a stack as several
    /// mappings where the program has given a part of it another protection, or locked it.
    pub fn used_stack(&self, part: Range) -> Used {
        let stacks = self.stacks.as_slice();
        let after = stacks.partition_point(|used| used.frames.start <= part.start);
        let used = stacks[..after].last().copied().unwrap_or_default();
        let within = |at: Addr| at.max(part.start).min(part.end);
        let of_part = |range: Range| Range::new(within(range.start), within(range.end));
        Used { frames: of_part(used.frames), control: of_part(used.control) }
    }

    /// Whether the frames of a stack begin before `at` and end behind it.
    pub fn is_in_stack(&self, at: Addr) -> bool {
        let stacks = self.stacks.as_slice();
        let after = stacks.partition_point(|used| used.frames.start < at);
        stacks[..after].last().is_some_and(|used| at < used.frames.end)
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

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    fn range(start: usize, end: usize) -> Range {
        Range::new(Addr::new(start), Addr::new(end))
    }

    fn used(start: usize, control: usize, end: usize) -> Used {
        Used { frames: range(start, control), control: range(control, end) }
    }

    fn lists(ranges: &[Range], stacks: &[Used]) -> LeftOut {
        let mut left_out = LeftOut::new();
        ranges.iter().for_each(|&range| left_out.ranges.push(range).unwrap());
        stacks.iter().for_each(|&used| left_out.stacks.push(used).unwrap());
        left_out
    }

    #[test]
    fn what_is_not_left_out_is_each_byte_that_no_part_covers() {
        let mut seed = 0x9e37_79b9_7f4a_7c15u64;
        let mut below = |limit: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed as usize % limit
        };
        for _ in 0..10_000 {
            let (mut parts, mut at) = (Vec::new(), below(8));
            while at < 64 {
                let end = at + below(8);
                parts.push(range(at, end));
                // Parts may touch, and be empty.
                at = end + below(8);
            }
            let (start, end) = (below(64), below(72));
            let mut found = [false; 80];
            without(range(start, end), &parts, |part| {
                assert!(!part.is_empty(), "{parts:?} without {start}..{end}");
                (part.start.get()..part.end.get()).for_each(|byte| found[byte] = true);
            });
            let is_left =
                |byte: usize| (start..end).contains(&byte) && !parts.iter().any(|part| part.contains(Addr::new(byte)));
            assert!((0..80).all(|byte| found[byte] == is_left(byte)), "{parts:?} without {start}..{end}: {found:?}");
        }
    }

    #[test]
    fn a_used_stack_is_found_where_it_begins_and_cut_where_the_part_ends() {
        let left_out = lists(&[range(0, 0x10), range(0x40, 0x50)], &[used(0x10, 0x20, 0x30), used(0x50, 0x60, 0x60)]);
        let found = |start, end| left_out.used_stack(range(start, end));
        let is = |found: Used, start, control, end| {
            found.frames == range(start, control) && found.control == range(control, end)
        };
        assert!(is(found(0x10, 0x40), 0x10, 0x20, 0x30));
        assert!(is(found(0x10, 0x28), 0x10, 0x20, 0x28));
        assert!(is(found(0x10, 0x18), 0x10, 0x18, 0x18));
        assert!(is(found(0x50, 0x90), 0x50, 0x60, 0x60), "without a control block");
        assert!(is(found(0x18, 0x40), 0x18, 0x20, 0x30), "it has begun before");
        assert!(is(found(0x28, 0x2c), 0x28, 0x28, 0x2c), "in the control block");
        assert!(is(found(0x30, 0x40), 0x30, 0x30, 0x30), "none is there");
        let inside = [0x0f, 0x10, 0x18, 0x20, 0x28, 0x50, 0x58, 0x60].map(|at| left_out.is_in_stack(Addr::new(at)));
        assert_eq!(inside, [false, false, true, false, false, false, true, false]);
    }

    #[test]
    fn lists_that_are_out_of_order_are_named() {
        let first = used(0x10, 0x20, 0x30);
        let second = used(0x50, 0x60, 0x70);
        let dead = [range(0, 0x10), range(0x40, 0x50)];
        let check = |ranges: &[Range], stacks: &[Used]| lists(ranges, stacks).check();
        assert_eq!(check(&dead, &[first, second]), Ok(()));
        assert_eq!(check(&[dead[1], dead[0]], &[]), Err(Fault::LeftOut(Addr::new(0))));
        assert_eq!(check(&dead, &[second, first]), Err(Fault::Stack(Addr::new(0x10))), "out of order");
        assert_eq!(check(&dead[..1], &[first, second]), Err(Fault::Stack(Addr::new(0x50))), "no dead part before it");
        let torn = Used { frames: range(0x10, 0x18), ..first };
        assert_eq!(check(&dead, &[torn]), Err(Fault::Stack(Addr::new(0x10))), "a gap in it");
    }
}
