//! Fibers: stacks that a program switches between by itself, where the kernel sees one thread.
//!
//! A fiber that does not run is *parked*: what it needs later lies on its stack, at or above the stack pointer that its
//! record keeps. So it is known to the word what a parked fiber holds, and how little of its stack that is.
//!
//! ```text
//!   vacant --make--> parked <--switch--> running --(its thread ends, or leaves it otherwise)--> lost
//!                       |                                                                        |
//!                       +------------------------------- end ----> ended <-----------------------+
//! ```
//!
//! The record of a fiber that was made is an object of the heap, of a kind of its own; a fiber that has ended goes as any
//! object goes, when nothing points to its record. A thread's own stack is a fiber, too, whose record is a part of the
//! thread's.
//!
//! *The order.* A switch is four stores and then the jump, and a thread may be stopped between any two:
//!
//! ```text
//!   from.sp = rsp      to.holder = this thread      thread.fiber = to      from.holder = parked      jump
//! ```
//!
//! A collector goes by the thread's `fiber`: that one runs, and all others are parked, whatever their holder; before the
//! third store `sp` is right. Where a thread stands it learns from the thread's own stack pointer, and a fiber that runs
//! and that its thread does not stand on is searched whole.
//!
//! Holds:   a fiber is some thread's `fiber` from the third store of a switch to it until the third of the next.
//! Threads: a record is written by the thread that runs its fiber, or makes, takes or ends it; who does which is for the
//!          program to order, as with any object. A collector reads it while the world is stopped. So all is relaxed.

use super::mutator::{self, Mutator};
use crate::{
    base::{
        addr::{Addr, Range},
        sync::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering},
    },
    os::{maps, memcheck},
};

/// See the module's documentation. All zero: no fiber.
#[repr(C)]
pub struct Fiber {
    /// What has become of it: one of the constants below, the address of the record of the thread that runs it, or that
    /// and one for a thread's own stack while it is parked.
    holder: AtomicUsize,
    /// The holder while it is parked.
    parked: AtomicUsize,
    /// The stack pointer at which it was parked.
    sp: AtomicUsize,
    stack_start: AtomicUsize,
    stack_end: AtomicUsize,
    data: AtomicUsize,
    life: AtomicU32,
    /// The thread that lost it.
    lost_by: AtomicU32,
    /// Not zero: its finalizer has been taken to be run, and may have given its stack's memory back.
    finalized: AtomicU32,
    /// By what valgrind knows its stack.
    stack_number: AtomicU32,
}

/// Bytes of a fiber's record.
pub const BYTES: usize = size_of::<Fiber>();

/// Parked, for any thread to take.
pub const PARKED: usize = 1;
const ENDED: usize = 2;
const LOST: usize = 3;
/// Added to the address of a thread's record: its own stack, parked.
pub const OWN: usize = 1;

/// Where a switch finds what it reads and writes.
#[cfg(not(loom))]
pub mod offset {
    use super::Fiber;
    use core::mem::offset_of;

    /// See [`Fiber`].
    pub const HOLDER: usize = offset_of!(Fiber, holder);
    /// See [`Fiber`].
    pub const WHILE_PARKED: usize = offset_of!(Fiber, parked);
    /// See [`Fiber`].
    pub const SP: usize = offset_of!(Fiber, sp);
    /// See [`Fiber`].
    pub const STACK_START: usize = offset_of!(Fiber, stack_start);
    /// See [`Fiber`].
    pub const STACK_END: usize = offset_of!(Fiber, stack_end);
}

/// How long what a parked fiber holds is kept alive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Life {
    /// Until it is ended.
    Root = 0,
    /// As long as something reaches its record.
    Object = 1,
}

/// What has become of a fiber.
#[derive(Clone, Copy)]
pub enum State {
    /// There is none.
    Vacant,
    /// Any thread may switch to it.
    Parked,
    /// A thread's own stack, which only that one may switch to.
    ParkedOwn(&'static Mutator),
    /// A thread runs it, or is about to.
    Running(&'static Mutator),
    /// The thread with this number ended while it ran it, or left it without a switch.
    Lost(u32),
    /// It is over.
    Ended,
}

/// Whether a fiber has ever been made.
static MADE: AtomicBool = AtomicBool::new(false);

/// Whether there may be fibers beside the threads' own stacks.
pub fn may_exist() -> bool {
    // Relaxed: a collector has stopped the thread that made one.
    MADE.load(Ordering::Relaxed)
}

impl Fiber {
    /// The record at an address.
    ///
    /// # Safety
    /// There is one: an object of its kind in use, or part of a thread's record. It is kept alive.
    pub unsafe fn at(address: Addr) -> &'static Fiber {
        // SAFETY: by the caller's promise; any bytes are a record.
        unsafe { &*address.as_ptr::<Fiber>() }
    }

    /// The address of the record.
    pub fn address(&self) -> Addr {
        Addr::of(core::ptr::from_ref(self))
    }

    /// Makes a vacant record one of a fiber that is parked at `sp`.
    pub fn make(&self, stack: Range, sp: Addr, data: usize, life: Life) {
        MADE.store(true, Ordering::Relaxed);
        self.set_stack(stack);
        self.stack_number.store(memcheck::note_stack_born(stack, sp), Ordering::Relaxed);
        self.sp.store(sp.get(), Ordering::Relaxed);
        self.data.store(data, Ordering::Relaxed);
        self.life.store(life as u32, Ordering::Relaxed);
        self.parked.store(PARKED, Ordering::Relaxed);
        // Last: a collector takes a record that is not whole for vacant.
        self.holder.store(PARKED, Ordering::Release);
    }

    fn set_stack(&self, stack: Range) {
        self.stack_start.store(stack.start.get(), Ordering::Relaxed);
        self.stack_end.store(stack.end.get(), Ordering::Relaxed);
    }

    /// What has become of it.
    pub fn state(&self) -> State {
        match self.holder.load(Ordering::Relaxed) {
            0 => State::Vacant,
            PARKED => State::Parked,
            ENDED => State::Ended,
            LOST => State::Lost(self.lost_by.load(Ordering::Relaxed)),
            // SAFETY: any other holder is made of the address of a record, which is never given back.
            holder => unsafe {
                let mutator = &*((holder & !OWN) as *const Mutator);
                if holder & OWN == 0 { State::Running(mutator) } else { State::ParkedOwn(mutator) }
            },
        }
    }

    /// Its stack.
    pub fn stack(&self) -> Range {
        Range::new(
            Addr::new(self.stack_start.load(Ordering::Relaxed)),
            Addr::new(self.stack_end.load(Ordering::Relaxed)),
        )
    }

    /// The part of its stack that it uses, while it is parked.
    pub fn used(&self) -> Range {
        Range::new(Addr::new(self.sp.load(Ordering::Relaxed)), self.stack().end)
    }

    /// What is kept alive with it.
    pub fn data(&self) -> usize {
        self.data.load(Ordering::Relaxed)
    }

    /// Whether it is kept alive until it is ended.
    pub fn is_root(&self) -> bool {
        self.life.load(Ordering::Relaxed) == Life::Root as u32
    }

    /// Its finalizer is about to run.
    pub fn note_finalized(&self) {
        self.finalized.store(1, Ordering::Relaxed);
    }

    /// Whether its stack's memory may have been given back: its finalizer need not say so.
    pub fn is_finalized(&self) -> bool {
        self.finalized.load(Ordering::Relaxed) != 0
    }

    /// It is over: it holds nothing any more. The caller has found it parked or lost.
    pub fn end(&self) {
        self.data.store(0, Ordering::Relaxed);
        memcheck::note_stack_died(self.stack_number.swap(0, Ordering::Relaxed), self.stack());
        self.holder.store(ENDED, Ordering::Relaxed);
    }

    /// Its thread does not run it any more, and nobody knows where it stood.
    fn lose(&self, tid: u32) {
        self.lost_by.store(tid, Ordering::Relaxed);
        self.holder.store(LOST, Ordering::Relaxed);
    }

    /// Whether what its record says can be.
    pub fn is_sound(&self) -> bool {
        match self.state() {
            State::Vacant | State::Ended => true,
            State::Parked => self.stack().start <= self.used().start && self.used().start <= self.stack().end,
            State::Lost(_) => !self.stack().is_empty(),
            State::ParkedOwn(_) => false,
            State::Running(mutator) => {
                let mut records = mutator::all();
                records.any(|record| core::ptr::eq(record, mutator)) && !self.stack().is_empty()
            }
        }
    }
}

/// A thread's part of its record: its own stack as a fiber, and the fiber that it runs.
#[repr(C)]
pub struct OfThread {
    own: Fiber,
    /// Null: none that it has said anything of, so its own stack.
    current: AtomicPtr<Fiber>,
}

/// Where a switch finds the fiber that the thread runs.
#[cfg(not(loom))]
pub const CURRENT: usize = core::mem::offset_of!(OfThread, current);

impl OfThread {
    /// The fiber that the thread runs, or is about to; `None`: it has never switched.
    pub fn current(&self) -> Option<&'static Fiber> {
        // SAFETY: null, part of a thread's record, or an object that is a root while it is here.
        unsafe { self.current.load(Ordering::Relaxed).as_ref() }
    }

    /// The thread's own stack.
    pub fn own(&self) -> &Fiber {
        &self.own
    }

    /// The fiber that the thread runs, or is about to, unless that is its own stack.
    pub fn guest(&self) -> Option<&'static Fiber> {
        self.current().filter(|fiber| !core::ptr::eq(*fiber, &self.own))
    }

    /// Where the thread's own stack is parked, while the thread runs another fiber.
    pub fn parked_sp(&self) -> Option<Addr> {
        self.guest().map(|_| self.own.used().start)
    }

    fn run(&self, mutator: &Mutator, fiber: &Fiber) {
        fiber.holder.store(core::ptr::from_ref(mutator) as usize, Ordering::Relaxed);
        self.current.store(core::ptr::from_ref(fiber).cast_mut(), Ordering::Relaxed);
    }

    /// The thread has ended, or is about to have no record: what it ran is lost, and its own stack is no fiber any more.
    pub(super) fn forget(&self, tid: u32) {
        if let Some(guest) = self.guest() {
            guest.lose(tid);
        }
        self.current.store(core::ptr::null_mut(), Ordering::Relaxed);
        self.own.end();
    }
}

/// The fiber on whose stack the calling thread stands, at `sp`, with the record told so. `None`: it is none that this
/// thread has switched to.
///
/// A thread that came back to its own stack otherwise than by a switch (by a context's `uc_link`, an exception) has lost
/// the fiber that it ran.
pub fn settle(mutator: &Mutator, sp: Addr) -> Option<&'static Fiber> {
    let fibers = &mutator.fibers;
    if let Some(current) = fibers.current().filter(|current| current.stack().contains(sp)) {
        return Some(current);
    }
    let stack = own_stack(mutator, sp).filter(|stack| stack.contains(sp))?;
    if let Some(guest) = fibers.guest() {
        guest.lose(mutator.tid.load(Ordering::Relaxed));
    }
    fibers.own.set_stack(stack);
    fibers.own.parked.store(core::ptr::from_ref(mutator) as usize | OWN, Ordering::Relaxed);
    fibers.run(mutator, &fibers.own);
    fibers.current()
}

/// The calling thread's stack. A main thread's may have grown beyond what was thought to be its limit.
fn own_stack(mutator: &Mutator, sp: Addr) -> Option<Range> {
    let mut stack = mutator.stack();
    if stack.is_empty() || stack.contains(sp) {
        return (!stack.is_empty()).then_some(stack);
    }
    maps::for_each(|mapping| {
        if mapping.range.contains(sp) && mapping.range.end == stack.end {
            stack.start = mapping.range.start;
        }
    });
    Some(stack)
}
