//! Fibers, as a collection sees them: whose stack is where, and what lies on those that are parked.
//!
//! The record of a fiber is an object, and what its stack holds is scanned when the record is: as that of a root from the
//! saved stack pointer to the end, an address one past an object's end included. So a collection's time follows the used
//! parts of stacks, and several markers share it. Only the fibers on which threads stand are roots by themselves.
//!
//! A stack's memory may be anything. Where it would be searched as something else, it is left out there:
//!
//! | the stack is | it would be searched as | instead |
//! |---|---|---|
//! | mapped by the program, or static data | a root, all of it | left out of roots |
//! | all of an object, but for a little | an object, all of it | the object is marked and not scanned |
//! | a part of an object | an object, all of it | that stays so |
//! | a part of a thread's stack | a part of that | that stays so |
//!
//! Holds:   the list has each fiber that has a stack, in ascending order of stacks, from the stop to the end of the cycle.
//! Threads: the collecting thread; what is about one fiber, any marker. The world is stopped.

use super::{
    allocate::{self, NoMemory},
    own_stack,
    roots::Unknown,
    table::List,
    trace,
};
use crate::{
    base::addr::{Addr, Ambiguous, Range},
    heap::{
        Request, cage,
        fiber::{self, Fiber, Life, State},
        kind::Kind,
        resolve::{self, Slot},
        sweep,
    },
    os::{
        copying, mem,
        pages::{Pages, Wanted},
    },
};

/// Makes a fiber that is parked at `sp`.
pub fn make(stack: Range, sp: Addr, data: usize, life: Life) -> Result<&'static Fiber, NoMemory> {
    // A fiber's stack may be too small to collect on.
    if !own_stack::make() {
        return Err(NoMemory);
    }
    let record = allocate::allocate(&Request::new(fiber::BYTES, Kind::FIBER))?;
    // SAFETY: a new object of the kind.
    let fiber = unsafe { Fiber::at(record) };
    fiber.make(stack, sp, data, life);
    Ok(fiber)
}

/// The fiber whose record is at an address, which came from the program: an object of its kind.
pub fn find(address: Addr) -> Option<&'static Fiber> {
    let slot = resolve::object_at(address).filter(|slot| slot.class().kind() == Kind::FIBER)?;
    Some(of(&slot))
}

/// The fiber whose record is in a slot in use.
pub fn of(slot: &Slot) -> &'static Fiber {
    debug_assert!(slot.class().kind() == Kind::FIBER);
    // SAFETY: an object of the kind.
    unsafe { Fiber::at(slot.start()) }
}

/// What is to be searched of a fiber's stack when its record is scanned.
pub enum Searched {
    /// Nothing: it is over, or a thread stands on it, or is about to.
    Nothing,
    /// These words.
    Words(Range),
    /// What can be read of this.
    Readable(Range),
}

/// See [`Searched`].
pub fn searched(fiber: &Fiber) -> Searched {
    match fiber.state() {
        State::Running(mutator) if mutator.fibers.current().is_some_and(|current| core::ptr::eq(current, fiber)) => {
            Searched::Nothing
        }
        // One that is taken and not yet run, or left and not yet given back, is parked as far as its stack is concerned.
        State::Parked | State::Running(_) if fiber.is_finalized() => Searched::Readable(fiber.used()),
        State::Parked | State::Running(_) => Searched::Words(fiber.used()),
        State::Lost(_) => Searched::Readable(fiber.stack()),
        State::Vacant | State::ParkedOwn(_) | State::Ended => Searched::Nothing,
    }
}

/// What a fiber's record points to by itself: its data, and where its stack is.
pub fn fields(fiber: &Fiber) -> [Ambiguous; 2] {
    let stack = if matches!(fiber.state(), State::Ended) { Addr::NULL } else { fiber.stack().start };
    [Ambiguous(fiber.data()), Ambiguous(stack.get())]
}

/// Visits all that the record in a slot keeps: for a word one past an object's end, an address within that object as well.
pub fn children(slot: &Slot, mut visit: impl FnMut(Ambiguous)) {
    let fiber = of(slot);
    fields(fiber).into_iter().for_each(&mut visit);
    let mut visit_root = |word: Ambiguous| {
        visit(word);
        if resolve::resolve_end(word).is_some() {
            visit(Ambiguous(word.0 - 1));
        }
    };
    match searched(fiber) {
        Searched::Nothing => {}
        // SAFETY: the used part of a parked stack may be read.
        Searched::Words(range) => unsafe { trace::words_at_any_byte(range, visit_root) },
        // SAFETY: as for `readable`.
        Searched::Readable(range) => readable(range, |part| unsafe { trace::words_at_any_byte(part, &mut visit_root) }),
    }
}

/// Visits the words of a range that hold something and can be read, in pages that have been copied.
pub fn readable(range: Range, mut visit: impl FnMut(Range)) {
    let whole_pages = Range::new(range.start.align_down(mem::PAGE), range.end.align_up(mem::PAGE));
    Pages::open().for_each_run(whole_pages, Wanted::Mapped, |run, _| {
        copying::for_each_page(run.intersect(range), &mut visit);
    });
}

/// A fiber with its stack.
#[derive(Clone, Copy)]
struct Known {
    stack: Range,
    fiber: &'static Fiber,
}

/// See the module's documentation.
pub struct Fibers {
    known: List<Known>,
}

impl Fibers {
    /// None, without memory.
    pub const fn new() -> Self {
        Fibers { known: List::new() }
    }

    /// Lists the fibers that have a stack. The world is stopped.
    pub fn list(&mut self) -> Result<(), Unknown> {
        self.known.clear();
        if fiber::may_exist() { self.list_all() } else { Ok(()) }
    }

    #[cold]
    #[inline(never)]
    fn list_all(&mut self) -> Result<(), Unknown> {
        let mut complete = true;
        sweep::for_each_allocated_word(
            |class| class.kind() == Kind::FIBER,
            |class, unit, index, allocated| {
                sweep::for_each_slot(class, unit, index, allocated, |record| {
                    // SAFETY: an object of the kind, or a slot in a magazine, which is zero.
                    let fiber = unsafe { Fiber::at(record) };
                    let has_stack = !matches!(fiber.state(), State::Vacant | State::Ended) && !fiber.is_finalized();
                    complete &= !has_stack || self.known.push(Known { stack: fiber.stack(), fiber }).is_ok();
                });
            },
        );
        self.known.as_mut_slice().sort_unstable_by_key(|known| known.stack.start);
        if complete { Ok(()) } else { Err(Unknown) }
    }

    /// The part of `verify` that is about the list: where it is out of order.
    pub fn check(&self) -> Result<(), Addr> {
        let mut pairs = self.known.as_slice().windows(2);
        let torn = pairs.find(|pair| pair[0].stack.start > pair[1].stack.start);
        torn.map_or(Ok(()), |pair| Err(pair[1].stack.start))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.known.len()
    }

    /// Visits the stacks, in ascending order.
    pub fn for_each_stack(&self, mut visit: impl FnMut(Range)) {
        self.known.as_slice().iter().for_each(|known| visit(known.stack));
    }

    /// Visits the fibers that are kept alive until they are ended.
    pub fn for_each_root(&self, mut visit: impl FnMut(&Fiber)) {
        self.known.as_slice().iter().filter(|known| known.fiber.is_root()).for_each(|known| visit(known.fiber));
    }

    /// The stack that `sp` lies on. Of several, which begin at different places, the one that begins last.
    pub fn stack_at(&self, sp: Addr) -> Option<Range> {
        let known = self.known.as_slice();
        let after = known.partition_point(|known| known.stack.start <= sp);
        known[..after].last().map(|known| known.stack).filter(|stack| stack.contains(sp))
    }

    /// As much of a range as lies below all stacks that begin in it.
    pub fn before_next(&self, range: Range) -> Range {
        let known = self.known.as_slice();
        let after = known.partition_point(|known| known.stack.start <= range.start);
        let end = known.get(after).map_or(range.end, |next| range.end.min(next.stack.start));
        Range::new(range.start, end)
    }

    /// Visits the objects that are a fiber's stack, but for a little, and that would be scanned whole: with the stack.
    pub fn for_each_object(&self, mut visit: impl FnMut(Slot, Range)) {
        for known in self.known.as_slice().iter().filter(|known| cage::contains(known.stack.start)) {
            if let Some(slot) = resolve::resolve(Ambiguous(known.stack.start.get()))
                && slot.class().kind().traits().is_conservative()
                && is_most_of(known.stack, Range::sized(slot.start(), slot.bytes()))
            {
                visit(slot, known.stack);
            }
        }
    }
}

/// Whether a stack is all of an object but for a little at its start, and what its slot has beyond what was asked for.
fn is_most_of(stack: Range, object: Range) -> bool {
    let before = stack.start - object.start;
    let after = object.end.get().checked_sub(stack.end.get());
    before <= mem::PAGE && after.is_some_and(|after| after <= object.bytes() / 4 + mem::PAGE)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::{boxed::Box, vec::Vec};

    /// A list of fibers with these stacks.
    fn list_of(stacks: &[(usize, usize)]) -> Fibers {
        let mut fibers = Fibers::new();
        for &(start, end) in stacks {
            let memory = Box::leak(Box::new([0u64; fiber::BYTES / 8]));
            // SAFETY: zero, large enough, and never given back.
            let fiber = unsafe { Fiber::at(Addr::of(memory.as_ptr())) };
            let stack = Range::new(Addr::new(start), Addr::new(end));
            fiber.make(stack, stack.end, 0, Life::Root);
            fibers.known.push(Known { stack, fiber }).unwrap();
        }
        fibers.known.as_mut_slice().sort_unstable_by_key(|known| known.stack.start);
        fibers
    }

    #[test]
    fn a_stack_is_found_by_any_address_in_it_and_by_none_outside() {
        let fibers = list_of(&[(0x5000, 0x6000), (0x1000, 0x2000), (0x2000, 0x3000)]);
        let start_at = |sp: usize| fibers.stack_at(Addr::new(sp)).map(|stack| stack.start.get());
        assert_eq!(start_at(0xfff), None);
        assert_eq!(start_at(0x1000), Some(0x1000));
        assert_eq!(start_at(0x1fff), Some(0x1000));
        assert_eq!(start_at(0x2000), Some(0x2000));
        assert_eq!(start_at(0x3000), None);
        assert_eq!(start_at(0x5fff), Some(0x5000));
        assert_eq!(start_at(0x6000), None);
        assert_eq!(Fibers::new().stack_at(Addr::new(0x1000)), None);
        assert_eq!(fibers.check(), Ok(()));
        let mut torn = fibers;
        torn.known.as_mut_slice().swap(1, 2);
        assert_eq!(torn.check(), Err(Addr::new(0x2000)), "out of order");
    }

    #[test]
    fn an_unknown_stack_ends_where_a_known_one_begins() {
        let fibers = list_of(&[(0x5000, 0x6000), (0x8000, 0x9000)]);
        let end_of =
            |start: usize, end: usize| fibers.before_next(Range::new(Addr::new(start), Addr::new(end))).end.get();
        assert_eq!(end_of(0x1000, 0x4000), 0x4000);
        assert_eq!(end_of(0x1000, 0x9000), 0x5000);
        assert_eq!(end_of(0x6000, 0x8800), 0x8000);
        assert_eq!(end_of(0x9000, 0xf000), 0xf000);
    }

    #[test]
    fn only_an_object_that_is_a_stack_but_for_a_little_is_one() {
        let range = |start, end| Range::new(Addr::new(start), Addr::new(end));
        let object = range(0x10000, 0x20000);
        assert!(is_most_of(object, object));
        assert!(is_most_of(range(0x11000, 0x20000), object), "a page before it");
        assert!(is_most_of(range(0x10000, 0x1b000), object), "what the slot has beyond the request");
        assert!(!is_most_of(range(0x11008, 0x20000), object), "more than a page before it");
        assert!(!is_most_of(range(0x10000, 0x18000), object), "half of the object");
        assert!(!is_most_of(range(0x10000, 0x20008), object), "more than the object");
    }

    #[test]
    fn what_can_be_read_of_a_range_is_copied_and_guards_are_passed_over() {
        let start = mem::map(4 * mem::PAGE).expect("memory");
        let words = 4 * mem::PAGE / size_of::<usize>();
        for index in 0..words {
            // SAFETY: mapped just now, and ours.
            unsafe { start.as_ptr::<usize>().add(index).write(index + 1) };
        }
        let guard = Range::sized(start + mem::PAGE, mem::PAGE);
        assert!(mem::protect(guard, mem::Protection { read: false, write: false, execute: false }));
        let mut found = Vec::new();
        // SAFETY: what is handed out has been copied.
        readable(Range::new(start + 16, start + (4 * mem::PAGE - 8)), |part| unsafe {
            trace::words(part, |word| found.push(word.0));
        });
        mem::unmap(start, 4 * mem::PAGE);
        // The first word of a page is copied with the page before, too.
        found.dedup();
        let page = mem::PAGE / size_of::<usize>();
        let expected: Vec<usize> = (3..=page).chain(2 * page + 1..words).collect();
        assert_eq!(found, expected);
    }
}
