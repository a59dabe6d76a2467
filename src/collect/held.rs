//! What the kernel holds for the program: addresses that it was given with a registration, and gives back with an event.
//!
//! | registered | by | until |
//! |---|---|---|
//! | an event's data | the epoll set and the descriptor | another takes its place, or it is taken off |
//! | a timer's value | the timer | it is deleted |
//! | a queue's value | the message queue | another takes its place, or it is taken off |
//!
//! The door tells of a registration when the kernel has accepted it: until then the caller's memory and registers have
//! the address. What has ended is *loose* for a while: two threads may change a registration at once, and the kernel keeps
//! one whose descriptor has another number by now; an event may be on its way to a buffer where it lies at an odd place.
//! Loose words are looked up in the kernel's own lists when there are many.
//!
//! A registration ends with its object: a word whose object was freed by hand is dropped by the next collection.
//!
//! Programs that register numbers pay one comparison. The table has memory of its own, which is no root.
//!
//! Holds:   what a registration of this process's gives back is in the table, in memory of the caller's, or freed.
//! Threads: any, in signal handlers too: one that has interrupted a slow path of its own thread leaves its word in a
//!          list of its own. A collector reads and clears up while the world is stopped.

use super::{
    allocate,
    reports::{self, Reason},
    table::{Map, NoMemory},
    tables::Tables,
    world,
};
use crate::{
    base::{
        addr::{Addr, Ambiguous},
        sync::{AtomicUsize, Ordering},
    },
    heap::{cage, resolve},
    os::{descriptors, memcheck},
};

/// Where the number of a place has what kind of place it is.
const KIND_SHIFT: u32 = 62;
const TIMER: usize = 2;

/// What a registration is known by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// A descriptor in an epoll set.
    Event {
        /// The set.
        set: i32,
        /// The descriptor.
        descriptor: i32,
    },
    /// A timer, by its id.
    Timer(usize),
    /// A message queue, by its descriptor.
    Queue(i32),
}

impl Place {
    /// A number that no other place has: ids of timers are small numbers, or addresses.
    fn key(self) -> Addr {
        const DESCRIPTOR_BITS: u32 = 31;
        let (kind, number) = match self {
            Place::Event { set, descriptor } => (1, (set as usize) << DESCRIPTOR_BITS | descriptor as usize),
            Place::Timer(id) => (TIMER, id),
            Place::Queue(descriptor) => (3, descriptor as usize),
        };
        Addr::new(kind << KIND_SHIFT | number & ((1 << KIND_SHIFT) - 1))
    }

    fn is_event(self) -> bool {
        matches!(self, Place::Event { .. })
    }
}

/// An object whose registration has ended, as far as we know.
#[derive(Clone, Copy, Default)]
struct Loose {
    /// Whether the kernel's lists of epoll sets would show it.
    is_listed: bool,
    /// Whether they have.
    is_seen: bool,
    /// Otherwise: how many collections have kept it.
    age: u32,
}

/// A signal may be waiting yet that was sent before its timer was deleted. So many collections keep what it brings.
const AGE_MAX: u32 = 8;

/// See the module's documentation.
pub struct Held {
    /// What is registered, by where.
    registered: Map<usize>,
    /// The objects of registrations that have ended, by their addresses.
    loose: Map<Loose>,
    /// How many there may be before the kernel's lists are read.
    loose_max: usize,
}

/// Loose objects below this number are kept.
const LOOSE_MIN: usize = 64;

/// How many are registered. Relaxed: who has registered something and takes it off finds its own.
static REGISTERED: AtomicUsize = AtomicUsize::new(0);

/// How many changes the table has seen. Relaxed: who reads an older number assumes that there was one.
static CHANGES: AtomicUsize = AtomicUsize::new(0);

/// Words from signal handlers that could not use the table; zero: free. They lie in static data, which is a root.
#[unsafe(link_section = ".bss.tables")]
static LATE: [AtomicUsize; 256] = [const { AtomicUsize::new(0) }; 256];

/// The kernel has `word` at `place` now, and nothing that it had there before.
#[inline]
pub fn note(place: Place, word: usize) {
    // Who registers a number of four bytes has often written no more than those.
    let _unchecked = memcheck::unchecked();
    // Relaxed: see `REGISTERED`.
    if cage::unit_of(Addr::new(word)).is_some() || REGISTERED.load(Ordering::Relaxed) != 0 {
        note_of_heap(place, word);
    }
}

/// How many changes the table has seen.
pub fn changes() -> usize {
    CHANGES.load(Ordering::Relaxed)
}

/// The kernel has given up what it had at `place`, after the table had seen so many `changes`. If it has seen more, that may
/// be somebody else's by now: then it stays until the next of that place.
pub fn note_end(place: Place, changes: usize) {
    // Relaxed: see both.
    if REGISTERED.load(Ordering::Relaxed) != 0 && CHANGES.load(Ordering::Relaxed) == changes {
        note_of_heap(place, 0);
    }
}

#[cold]
#[unsafe(link_section = ".text.hot")]
fn note_of_heap(place: Place, word: usize) {
    let is_object = resolve::resolve(Ambiguous(word)).is_some();
    match with_tables(|tables| tables.held.set(place, is_object.then_some(word))) {
        Some(Ok(())) => {}
        Some(Err(NoMemory)) => reports::stop_reclaiming(Reason::CannotFollow("no memory for the table")),
        None if is_object => note_late(word),
        None => {}
    }
}

/// Runs `work` with the tables. `None`: the caller is a handler that has interrupted a slow path, or a child that shares its
/// parent's memory, or is a copy of it that nobody knows of yet.
pub(super) fn with_tables<R>(work: impl FnOnce(&mut Tables) -> R) -> Option<R> {
    if world::is_own_process() { allocate::with_tables(work) } else { None }
}

/// Keeps a word where a signal handler may write.
pub(super) fn note_late(word: usize) {
    let is_free = |place: &&AtomicUsize| {
        // Relaxed: a collector reads it when this thread stands still.
        place.compare_exchange(0, word, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    };
    if LATE.iter().find(is_free).is_none() {
        reports::stop_reclaiming(Reason::CannotFollow("by signal handlers"));
    }
}

impl Held {
    /// Nothing, without memory.
    pub const fn new() -> Self {
        Held { registered: Map::new(), loose: Map::new(), loose_max: LOOSE_MIN }
    }

    #[unsafe(link_section = ".text.hot")]
    fn set(&mut self, place: Place, word: Option<usize>) -> Result<(), NoMemory> {
        let former = match word {
            Some(word) => self.registered.insert(place.key(), word)?,
            None => self.registered.remove(place.key()),
        };
        REGISTERED.store(self.registered.len(), Ordering::Relaxed);
        CHANGES.fetch_add(1, Ordering::Relaxed);
        match former {
            Some(former) if Some(former) != word => self.let_loose(former, place.is_event()),
            _ => Ok(()),
        }
    }

    fn let_loose(&mut self, word: usize, is_listed: bool) -> Result<(), NoMemory> {
        let Some(slot) = resolve::resolve(Ambiguous(word)) else { return Ok(()) };
        let former = self.loose.get(slot.start());
        let is_listed = is_listed && former.is_none_or(|former| former.is_listed);
        self.loose.insert(slot.start(), Loose { is_listed, is_seen: false, age: 0 }).map(|_| ())
    }

    /// Visits all words.
    pub fn for_each(&self, mut visit: impl FnMut(usize)) {
        self.registered.for_each(|_, word| visit(word));
        self.loose.for_each(|object, _| visit(object.get() + 1));
        LATE.iter().map(|late| late.load(Ordering::Relaxed)).filter(|&word| word != 0).for_each(visit);
    }

    /// Drops what was freed by hand; then loose objects that the kernel does not hold, if there are many. In a collection,
    /// when what magazines hold is marked and nothing else is.
    pub fn clear_up(&mut self) {
        self.registered.retain(|_, word| !is_free(*word));
        self.loose.retain(|object, loose| {
            loose.age += u32::from(!loose.is_listed);
            loose.age <= AGE_MAX && !is_free(object.get())
        });
        REGISTERED.store(self.registered.len(), Ordering::Relaxed);
        LATE.iter().filter(|late| is_free(late.load(Ordering::Relaxed))).for_each(|late| {
            late.store(0, Ordering::Relaxed);
        });
        if self.loose.len() > self.loose_max {
            self.drop_unlisted();
            self.loose_max = (2 * self.loose.len()).max(LOOSE_MIN);
        }
    }

    /// Drops the loose objects that no epoll set of the process has.
    #[cold]
    #[inline(never)]
    fn drop_unlisted(&mut self) {
        let loose = &mut self.loose;
        let is_whole = descriptors::for_each_event(|word| {
            if let Some(seen) = resolve::resolve(Ambiguous(word)).and_then(|slot| loose.get_mut(slot.start())) {
                seen.is_seen = true;
            }
        });
        self.loose.retain(|_, loose| !is_whole || !loose.is_listed || core::mem::replace(&mut loose.is_seen, false));
    }

    /// A forked child has the sets and queues of its parent, but none of its timers.
    pub fn become_child(&mut self) {
        self.registered.retain(|key, _| key.get() >> KIND_SHIFT != TIMER);
        REGISTERED.store(self.registered.len(), Ordering::Relaxed);
    }
}

/// Whether a word points to no object: into no slot in use, or into one that a magazine holds and that is marked therefore.
pub(super) fn is_free(word: usize) -> bool {
    resolve::resolve(Ambiguous(word)).is_none_or(|slot| slot.word().is_marked(slot.bit()))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    #[test]
    fn places_differ_by_their_keys() {
        let places = [
            Place::Event { set: 3, descriptor: 4 },
            Place::Event { set: 4, descriptor: 3 },
            Place::Event { set: i32::MAX, descriptor: i32::MAX },
            Place::Timer(0),
            Place::Timer(3),
            Place::Timer(0x8000_3fff_1234_5670),
            Place::Queue(0),
            Place::Queue(3),
        ];
        for (index, place) in places.iter().enumerate() {
            assert!(!place.key().is_null());
            assert!(places[..index].iter().all(|other| other.key() != place.key()), "{place:?}");
        }
    }

    #[test]
    fn a_child_has_no_timer_of_its_parent() {
        let mut held = Held::new();
        for place in [Place::Timer(5), Place::Event { set: 3, descriptor: 5 }, Place::Queue(5)] {
            held.registered.insert(place.key(), 16).unwrap();
        }
        held.become_child();
        let mut keys = std::vec::Vec::new();
        held.registered.for_each(|key, _| keys.push(key));
        assert_eq!(keys.len(), 2);
        assert!(!keys.contains(&Place::Timer(5).key()));
    }
}
