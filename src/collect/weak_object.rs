//! Weak objects: arrays in the heap whose words keep nothing, on which a language builds its weak tables.
//!
//! ```text
//!   weak words   | word | word | ...                          | tail |
//!   ephemerons   | key value link | key value link | ...      | tail |        see `ephemeron` for their rule
//!   tail         | tombstone | how many died so far | found: the next in the list |
//! ```
//!
//! A word, or a pair's key, that holds an object which dies becomes the *tombstone*, a word of the program's choice, zero
//! at first; a pair's value becomes zero. Any address inside an object holds it; what is no address of an object is left
//! alone.
//!
//! Weak words are cleared with the short weak cells, before finalizers make their objects reachable once more: a table of
//! values must not hand out what is about to be finalized. A key that a finalizer gets still leads to its value there, so
//! ephemerons are cleared last, with what finalizers reach.
//!
//! The marker that finds a weak object puts it on a list, whose links lie in the tails: a collection needs no memory.
//!
//! Holds: the last word of a tail is zero outside a collection and until the object has been found. So one that is scanned
//!        again, since the mark stack was full, is found once.

use super::ephemeron::Pair;
use crate::{
    base::addr::{Addr, Ambiguous, ObjRef, Range},
    heap::{
        kind::Kind,
        resolve::{self, Slot},
    },
    os::mem,
};

const WORD: usize = size_of::<usize>();
/// Where a list ends: no address, and not zero.
const END: usize = 1;

/// The words of a tail.
#[derive(Clone, Copy)]
enum Tail {
    Tombstone = 0,
    Died = 1,
    Found = 2,
}

/// A weak object in use.
#[derive(Clone, Copy)]
pub struct WeakObject(Slot);

impl WeakObject {
    /// The weak object that starts at an address, if one does.
    pub fn at(address: Addr) -> Option<WeakObject> {
        resolve::object_at(address).and_then(WeakObject::of)
    }

    /// The weak object in a slot in use, if it is one.
    pub fn of(slot: Slot) -> Option<WeakObject> {
        slot.class().kind().is_weak_object().then_some(WeakObject(slot))
    }

    /// The object.
    pub(super) fn object(&self) -> ObjRef {
        self.0.object()
    }

    /// What its words may use of the slot, or its pairs.
    pub(super) fn range(&self) -> Range {
        let usable = resolve::usable_bytes(self.0.class().kind(), self.0.bytes());
        Range::sized(self.0.start(), usable)
    }

    fn tail(&self, word: Tail) -> *mut usize {
        (self.0.start() + (self.0.bytes() - resolve::WEAK_TAIL_BYTES) + word as usize * WORD).as_ptr()
    }

    fn read(&self, word: Tail) -> usize {
        // SAFETY: the slot is in use, and its tail is ours.
        unsafe { self.tail(word).read_volatile() }
    }

    fn write(&self, word: Tail, value: usize) {
        // SAFETY: as above.
        unsafe { self.tail(word).write_volatile(value) };
    }

    /// How many words or pairs it has room for.
    pub fn room(&self) -> usize {
        let bytes = if self.0.class().kind() == Kind::EPHEMERONS { Pair::BYTES } else { WORD };
        self.range().bytes() / bytes
    }

    /// How many of its words or pairs have died so far.
    pub fn died(&self) -> usize {
        self.read(Tail::Died)
    }

    /// What becomes of words that die.
    pub fn tombstone(&self) -> usize {
        self.read(Tail::Tombstone)
    }

    /// Sets it.
    pub fn set_tombstone(&self, word: usize) {
        self.write(Tail::Tombstone, word);
    }

    /// Takes over, as its successor, what another one has beside its words.
    pub fn succeed(&self, other: &WeakObject) {
        self.set_tombstone(other.tombstone());
        self.write(Tail::Died, other.died());
    }

    /// The pairs of ephemerons.
    pub(super) fn pairs(&self) -> impl Iterator<Item = Pair> {
        let start = self.0.start();
        (0..self.room()).map(move |index| Pair::at(start + index * Pair::BYTES))
    }

    /// Clears the words whose objects are not marked: how many.
    fn clear_dead_words(&self) -> usize {
        let Range { start, end } = self.range();
        let tombstone = self.tombstone();
        let mut died = 0;
        for at in (start.get()..end.get()).step_by(WORD).map(Addr::new) {
            // SAFETY: a word of an object in use.
            if is_dead(unsafe { mem::load_word(at) }) {
                // SAFETY: as above, and the world is stopped.
                unsafe { at.as_ptr::<usize>().write_volatile(tombstone) };
                died += 1;
            }
        }
        self.write(Tail::Died, self.died().wrapping_add(died));
        died
    }

    /// Clears the pairs whose keys are not marked: how many.
    pub(super) fn clear_dead_pairs(&self) -> usize {
        let tombstone = self.tombstone();
        let mut died = 0;
        for pair in self.pairs().filter(Pair::has_died) {
            pair.set(tombstone, 0);
            died += 1;
        }
        self.write(Tail::Died, self.died().wrapping_add(died));
        died
    }
}

/// Whether the object that an ambiguous word holds is dead, once marking is over.
pub(super) fn is_dead(word: usize) -> bool {
    resolve::resolve(Ambiguous(word)).is_some_and(|slot| !slot.word().is_marked(slot.bit()))
}

/// Weak objects of a collection that wait for something.
pub struct Found {
    first: usize,
}

impl Found {
    /// None.
    pub const fn new() -> Self {
        Found { first: END }
    }

    /// The marker has found this one, perhaps before.
    pub fn add(&mut self, object: ObjRef) {
        let Some(weak) = WeakObject::at(object.addr()).filter(|weak| weak.read(Tail::Found) == 0) else { return };
        weak.write(Tail::Found, self.first);
        self.first = object.addr().get();
    }

    /// Takes one off the list.
    pub fn take(&mut self) -> Option<WeakObject> {
        let weak = (self.first != END).then(|| WeakObject::at(Addr::new(self.first))).flatten()?;
        self.first = weak.read(Tail::Found);
        weak.write(Tail::Found, 0);
        Some(weak)
    }

    /// Clears the words of those found since the last time: how many died.
    pub fn clear_dead_words(&mut self) -> u64 {
        let mut died = 0;
        while let Some(weak) = self.take() {
            died += weak.clear_dead_words() as u64;
        }
        died
    }

    /// Forgets all: the collection was given up.
    pub fn forget(&mut self) {
        while self.take().is_some() {}
    }
}
