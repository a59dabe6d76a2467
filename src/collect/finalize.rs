//! Finalizers: a procedure for an object, called once after the object has become unreachable.
//!
//! After marking, the objects with finalizers that are not marked are *unreached*, and taken in three steps:
//!
//! 1. *unordered* ones are queued at once;
//! 2. *ordered* ones are queued unless another ordered one reaches them: what each points to is marked, itself left out,
//!    and who is unmarked then is reached by no other. Those that stay behind wait for a later collection; a cycle
//!    of them waits for ever, which a statistic counts. For *strict* ones a pointer to themselves is such a cycle;
//! 3. *unreachable* ones are queued when not even queued objects reach them. Where a program has it so, they are ordered
//!    strictly instead.
//!
//! For libgc's names an object with any order waits for the ordered ones that reach it: unordered ones are taken in
//! step 2 without holding up others, and unreachable ones wait and hold up there as strict ones do before step 3. What
//! they point to of malloc's does not count: bdwgc does not look there, and who is pointed back at from there would wait
//! for ever.
//!
//! The queue is a root: objects in it, and all they reach, are intact until their procedure has run, and live on if it
//! stores them somewhere. Setting a finalizer keeps its data alive, not its object.

use super::{
    fibers, hooks,
    mark::{Marker, is_marked},
    table::{List, Map, NoMemory},
    undeclared,
};
use crate::{
    base::{
        addr::{Addr, Ambiguous, ObjRef},
        sync::{AtomicU32, AtomicUsize, Ordering},
    },
    heap::resolve::Slot,
    os::sys,
};

/// When a finalizer may run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u32)]
pub enum Order {
    /// After the finalizers of all objects that reach this one.
    #[default]
    Ordered = 0,
    /// As soon as only objects with finalizers reach it, or none.
    Unordered = 1,
    /// When not even an object waiting for its finalizer reaches it.
    Unreachable = 2,
    /// As `Ordered`, and a pointer of the object's own to itself counts as well.
    Strict = 3,
}

/// Who runs a finalizer: the door by which it came. Neither runs the other's, whose rules are its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Runner {
    /// `gleaner.h`: finalizers run in allocations too.
    #[default]
    Header = 0,
    /// Handles of Rust: destructors run where they are asked for.
    Handles = 1,
    /// The names of libgc: finalizers run in allocations, or where they are asked for, as the program has it.
    Libgc = 2,
}

const RUNNERS: usize = 3;

/// A finalizer: the procedure's address, its data and its order.
#[derive(Clone, Copy, Default, Debug)]
pub struct Finalizer {
    /// The address of the procedure.
    pub procedure: usize,
    /// What it is passed beside the object.
    pub data: usize,
    /// When it may run.
    pub order: Order,
    /// Who runs it.
    pub runner: Runner,
}

impl Finalizer {
    /// Whether ordered ones hold it up, whatever its order.
    fn is_held_up(&self) -> bool {
        self.runner == Runner::Libgc
    }
}

/// A finalizer whose time has come.
#[derive(Clone, Copy, Debug)]
pub struct Due {
    /// The object.
    pub object: usize,
    /// Its finalizer.
    pub finalizer: Finalizer,
}

/// How many finalizers wait to run, by who runs them: whether it is worth taking the lock.
static QUEUED: [AtomicUsize; RUNNERS] = [const { AtomicUsize::new(0) }; RUNNERS];

/// Whether finalizers wait to run.
#[inline]
pub fn are_queued(runner: Runner) -> bool {
    QUEUED[runner as usize].load(Ordering::Relaxed) != 0
}

/// Counts the collections that have queued finalizers: what threads that wait for some sleep on.
static ROUNDS: AtomicU32 = AtomicU32::new(0);
/// How many threads sleep, or are about to.
static WAITING: AtomicU32 = AtomicU32::new(0);

/// Sleeps until finalizers wait to run. The caller is outside its gate.
pub fn wait_until_queued(runner: Runner) {
    WAITING.fetch_add(1, Ordering::SeqCst);
    loop {
        // SeqCst, like its partners in `ring`: either this thread sees the queue, or the collector sees that it waits; and
        // a round that ends in between keeps it from sleeping.
        let round = ROUNDS.load(Ordering::SeqCst);
        if are_queued(runner) {
            break;
        }
        sys::futex_wait(&ROUNDS, round, None);
    }
    WAITING.fetch_sub(1, Ordering::Relaxed);
}

/// Wakes who waits for finalizers. The world may be stopped: it is a system call.
fn ring() {
    ROUNDS.fetch_add(1, Ordering::SeqCst);
    if WAITING.load(Ordering::SeqCst) != 0 {
        sys::futex_wake(&ROUNDS, i32::MAX as u32);
    }
}

/// All finalizers.
pub struct Finalizers {
    by_object: Map<Finalizer>,
    /// By who runs them.
    queues: [List<Due>; RUNNERS],
    unreached: List<usize>,
    /// Whether unreachable ones are ordered strictly.
    has_no_unreachable: bool,
    /// Finalizers handed out to run.
    pub run: u64,
    /// Ordered ones that wait on a cycle, as of the last collection.
    pub on_cycles: u64,
    /// How many the last collection queued.
    queued_last: usize,
}

impl Finalizers {
    /// None, without memory.
    pub const fn new() -> Self {
        Finalizers {
            by_object: Map::new(),
            queues: [const { List::new() }; RUNNERS],
            unreached: List::new(),
            has_no_unreachable: false,
            run: 0,
            on_cycles: 0,
            queued_last: 0,
        }
    }

    /// Sets the finalizer of an object, in place of the one it has. Makes room among the unreached and in the
    /// queue too, so that a collection needs no memory.
    pub fn set(&mut self, object: Addr, finalizer: Finalizer) -> Result<(), NoMemory> {
        let count = self.by_object.len() + 1;
        let queue = &mut self.queues[finalizer.runner as usize];
        queue.reserve(queue.as_slice().len() + count)?;
        self.unreached.reserve(count)?;
        self.by_object.insert(object, finalizer).map(|_| ())
    }

    /// Takes the finalizer of an object away.
    pub fn clear(&mut self, object: Addr) -> bool {
        self.by_object.remove(object).is_some()
    }

    /// The finalizer of an object.
    pub fn get(&self, object: Addr) -> Option<Finalizer> {
        self.by_object.get(object)
    }

    /// How many objects have one, and how many of those that had the last collection found unreachable.
    pub fn census(&self) -> (usize, usize) {
        (self.by_object.len(), self.queued_last)
    }

    /// Visits the objects that have one.
    pub fn for_each_object(&self, mut visit: impl FnMut(Addr)) {
        self.by_object.for_each(|object, _| visit(object));
    }

    /// From now on unreachable finalizers are ordered strictly, or no more.
    pub fn order_unreachable(&mut self, is_strict: bool) {
        self.has_no_unreachable = is_strict;
    }

    /// Queues all that `runner` has to run, whether their objects are reachable or not: how many.
    pub fn queue_all(&mut self, runner: Runner) -> usize {
        self.unreached.clear();
        let (unreached, by_object) = (&mut self.unreached, &mut self.by_object);
        by_object.for_each(|object, finalizer| {
            if finalizer.runner == runner {
                // Room was made by `set`.
                let _ = unreached.push(object.get());
            }
        });
        for &object in unreached.as_slice() {
            if let Some(finalizer) = by_object.remove(Addr::new(object)) {
                // Room was made by `set`.
                let _ = self.queues[runner as usize].push(Due { object, finalizer });
            }
        }
        let count = unreached.len();
        unreached.clear();
        self.publish_lengths();
        count
    }

    /// Whether no object has a finalizer.
    pub fn is_empty(&self) -> bool {
        self.by_object.is_empty()
    }

    /// The next finalizer that `runner` has to run.
    pub fn take_due(&mut self, runner: Runner) -> Option<Due> {
        let due = self.queues[runner as usize].pop()?;
        self.publish_lengths();
        self.run += 1;
        if let Some(fiber) = fibers::find(Addr::new(due.object)) {
            fiber.note_finalized();
        }
        Some(due)
    }

    /// How many wait to run.
    pub fn pending(&self) -> usize {
        self.queued().count()
    }

    fn queued(&self) -> impl Iterator<Item = &Due> {
        self.queues.iter().flat_map(|queue| queue.as_slice())
    }

    fn publish_lengths(&self) {
        for (queue, length) in self.queues.iter().zip(&QUEUED) {
            length.store(queue.as_slice().len(), Ordering::Relaxed);
        }
    }

    /// Visits the data of all finalizers, which stays alive with them, and who runs them.
    pub fn for_each_data(&self, mut visit: impl FnMut(Ambiguous, Runner)) {
        self.by_object.for_each(|_, finalizer| visit(Ambiguous(finalizer.data), finalizer.runner));
        self.queued().for_each(|due| visit(Ambiguous(due.finalizer.data), due.finalizer.runner));
    }

    /// Visits the queued objects, which stay alive until their finalizers have run.
    pub fn for_each_queued(&self, mut visit: impl FnMut(Addr)) {
        self.queued().for_each(|due| visit(Addr::new(due.object)));
    }

    /// Queues what has become unreachable, and marks all that the queue reaches. The world is stopped, marking is done.
    pub fn queue_unreachable(&mut self, marker: &mut Marker) {
        self.queued_last = 0;
        if self.by_object.is_empty() {
            return;
        }
        let before = self.by_object.len();
        self.find_unreached(|finalizer| finalizer.order == Order::Unordered && !finalizer.is_held_up());
        self.queue_unreached(marker);
        self.find_ready(marker);
        if !self.has_no_unreachable {
            self.drop_unreached(|_, finalizer| finalizer.order == Order::Unreachable);
        }
        self.queue_unreached(marker);
        self.find_unreached(|finalizer| finalizer.order == Order::Unreachable);
        self.queue_unreached(marker);
        self.queued_last = before - self.by_object.len();
        self.publish_lengths();
        if self.pending() != 0 {
            ring();
        }
    }

    /// Step 2 up to the queue: leaves those among the unreached that no other reaches.
    fn find_ready(&mut self, marker: &mut Marker) {
        let has_no_unreachable = self.has_no_unreachable;
        self.find_unreached(|finalizer| match finalizer.order {
            Order::Ordered | Order::Strict => true,
            Order::Unreachable => has_no_unreachable || finalizer.is_held_up(),
            Order::Unordered => finalizer.is_held_up(),
        });
        let count = self.unreached.as_slice().len();
        for &object in self.unreached.as_slice() {
            let object = Addr::new(object);
            let Some(finalizer) = self.by_object.get(object).filter(|finalizer| finalizer.order != Order::Unordered)
            else {
                continue;
            };
            let counts = |child: Slot| {
                (finalizer.order != Order::Ordered || child.start() != object)
                    && !(finalizer.runner == Runner::Libgc && undeclared::is_mallocs(&child))
            };
            marker.scan_children_of_unmarked(ObjRef::claim(object), counts);
            marker.drain();
        }
        self.drop_unreached(|object, _| is_marked(object));
        // If nobody is ready, all are held up by others who are held up: only cycles do that.
        self.on_cycles = if self.unreached.as_slice().is_empty() { count as u64 } else { 0 };
    }

    fn find_unreached(&mut self, is_due: impl Fn(&Finalizer) -> bool) {
        self.unreached.clear();
        let unreached = &mut self.unreached;
        self.by_object.for_each(|object, finalizer| {
            if is_due(&finalizer) && !is_marked(object) {
                // Room was made by `set`.
                let _ = unreached.push(object.get());
            }
        });
    }

    fn drop_unreached(&mut self, is_out: impl Fn(Addr, &Finalizer) -> bool) {
        let mut index = 0;
        while let Some(&object) = self.unreached.as_slice().get(index) {
            let object = Addr::new(object);
            if self.by_object.get(object).is_some_and(|finalizer| is_out(object, &finalizer)) {
                self.unreached.swap_remove(index);
            } else {
                index += 1;
            }
        }
    }

    fn queue_unreached(&mut self, marker: &mut Marker) {
        for &object in self.unreached.as_slice() {
            if let Some(finalizer) = self.by_object.remove(Addr::new(object)) {
                // Room was made by `set`.
                let _ = self.queues[finalizer.runner as usize].push(Due { object, finalizer });
                marker.offer(Ambiguous(object));
                hooks::queued(Addr::new(object));
            }
        }
        marker.drain();
        self.unreached.clear();
    }
}
