//! Ephemerons: a key, and a value that lives as long as the key does.
//!
//! An ephemeron does not keep its key, and keeps its value only while something else keeps the key. So an ephemeron
//! that the marker finds is *fresh*: if its key is live its value is offered, else it waits in a table by key. From then
//! on each object that gets marked is looked up there; ephemerons that waited for it are fresh again. Every ephemeron
//! moves twice at most, so a chain of them, each key reachable from the value before, takes linear time (Hayes,
//! "Ephemerons", 1997, for the idea).
//!
//! ```text
//!   object    | key | value | link: fresh, or the chain of its bucket | link: all that were found |
//! ```
//!
//! The links lie in the objects and the buckets are made when ephemerons are: a collection needs no memory.
//!
//! Holds: the last link is zero outside a collection and until the ephemeron has been found. So one that is scanned
//!        again, since the mark stack was full, is found once.

use super::table::{List, NoMemory};
use crate::{
    base::addr::{Addr, ObjRef},
    heap::resolve,
};

/// Bytes of the object behind an ephemeron.
pub const BYTES: usize = 4 * size_of::<usize>();

/// Where the list of all ends: no address, and not zero.
const END: usize = 1;

/// An ephemeron in the heap.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ephemeron(ObjRef);

impl Ephemeron {
    /// The ephemeron that an object of that kind is.
    pub fn of(object: ObjRef) -> Self {
        Ephemeron(object)
    }

    fn word(self, index: usize) -> *mut usize {
        (self.0.addr() + index * size_of::<usize>()).as_ptr()
    }

    fn read(self, index: usize) -> usize {
        // SAFETY: an object of this kind has four words.
        unsafe { self.word(index).read_volatile() }
    }

    fn write(self, index: usize, value: usize) {
        // SAFETY: as above.
        unsafe { self.word(index).write_volatile(value) };
    }

    /// The key; zero when it has died.
    pub fn key(self) -> usize {
        self.read(0)
    }

    /// The value.
    pub fn value(self) -> usize {
        self.read(1)
    }

    /// Sets both.
    pub fn set(self, key: usize, value: usize) {
        self.write(1, value);
        self.write(0, key);
    }

    /// Whether the key has been marked, or is no object that could die.
    pub(super) fn key_is_live(self) -> bool {
        let key = self.key();
        key != 0 && resolve::object_at(Addr::new(key)).is_none_or(|slot| slot.word().is_marked(slot.bit()))
    }
}

/// The ephemerons of a collection.
pub struct Ephemerons {
    fresh: usize,
    all: usize,
    waiting: usize,
    buckets: List<usize>,
    buckets_used: bool,
}

impl Ephemerons {
    /// None, without memory.
    pub const fn new() -> Self {
        Ephemerons { fresh: 0, all: END, waiting: 0, buckets: List::new(), buckets_used: false }
    }

    /// Makes buckets for `count` ephemerons. Not during a collection.
    pub fn reserve(&mut self, count: usize) -> Result<(), NoMemory> {
        while self.buckets.as_slice().len() * 2 < count.max(64) {
            self.buckets.push(0)?;
        }
        Ok(())
    }

    pub(super) fn begin(&mut self) {
        if self.buckets_used {
            self.buckets.as_mut_slice().fill(0);
        }
        (self.fresh, self.all, self.waiting, self.buckets_used) = (0, END, 0, false);
    }

    /// The marker has found this one, perhaps before.
    pub(super) fn found(&mut self, object: ObjRef) {
        let ephemeron = Ephemeron(object);
        if ephemeron.read(3) != 0 {
            return;
        }
        ephemeron.write(2, self.fresh);
        ephemeron.write(3, self.all);
        self.fresh = object.addr().get();
        self.all = object.addr().get();
    }

    pub(super) fn take_fresh(&mut self) -> Option<Ephemeron> {
        let ephemeron = at(self.fresh)?;
        self.fresh = ephemeron.read(2);
        Some(ephemeron)
    }

    fn bucket(&mut self, key: usize) -> &mut usize {
        let buckets = self.buckets.as_mut_slice();
        let hash = (key as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        &mut buckets[hash as usize % buckets.len()]
    }

    /// Makes the ephemeron wait until its key is marked.
    pub(super) fn await_key(&mut self, ephemeron: Ephemeron) {
        let bucket = self.bucket(ephemeron.key());
        ephemeron.write(2, core::mem::replace(bucket, ephemeron.0.addr().get()));
        self.waiting += 1;
        self.buckets_used = true;
    }

    #[inline(always)]
    pub(super) fn are_waiting(&self) -> bool {
        self.waiting != 0
    }

    /// `key` has just been marked: who waited for it is fresh again.
    pub(super) fn wake(&mut self, key: ObjRef) {
        let key = key.addr().get();
        let mut previous: Option<Ephemeron> = None;
        let mut next = *self.bucket(key);
        while let Some(ephemeron) = at(next) {
            next = ephemeron.read(2);
            if ephemeron.key() != key {
                previous = Some(ephemeron);
                continue;
            }
            match previous {
                Some(previous) => previous.write(2, next),
                None => *self.bucket(key) = next,
            }
            ephemeron.write(2, self.fresh);
            self.fresh = ephemeron.0.addr().get();
            self.waiting -= 1;
        }
    }

    /// Marking is over: ephemerons whose keys died lose both words. How many ephemerons there are.
    pub(super) fn clear_dead(&mut self) -> usize {
        let mut count = 0;
        while let Some(ephemeron) = self.take() {
            if ephemeron.key() != 0 && !ephemeron.key_is_live() {
                ephemeron.set(0, 0);
            }
            count += 1;
        }
        count
    }

    /// The collection is over, or was given up: what has been found is forgotten.
    pub(super) fn end(&mut self) {
        while self.take().is_some() {}
    }

    /// Takes one off the list of all.
    fn take(&mut self) -> Option<Ephemeron> {
        let ephemeron = at(self.all).filter(|_| self.all != END)?;
        self.all = ephemeron.read(3);
        ephemeron.write(3, 0);
        Some(ephemeron)
    }
}

fn at(address: usize) -> Option<Ephemeron> {
    (address != 0).then(|| Ephemeron(ObjRef::claim(Addr::new(address))))
}
