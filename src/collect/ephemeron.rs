//! Ephemerons: a key, and a value that lives as long as the key does.
//!
//! An ephemeron does not keep its key, and keeps its value only while something else keeps the key. So an ephemeron
//! that the marker finds is *fresh*: if its key is live its value is offered, else it waits in a table by key. From then
//! on each object that gets marked is looked up there; ephemerons that waited for it are fresh again. Every ephemeron
//! moves twice at most, so a chain of them, each key reachable from the value before, takes linear time (Hayes,
//! "Ephemerons", 1997, for the idea).
//!
//! ```text
//!   pair      | key | value | link: fresh, or the chain of its bucket |
//!   object    | pair | link: all that were found |
//!   array     | pair | pair | ... | tail |            a weak object: see `weak_object`
//! ```
//!
//! The links lie in the objects and the buckets are made when ephemerons are: a collection needs no memory. An array that
//! is found is looked through pair by pair, and those that wait are linked as others are.
//!
//! Any address inside an object stands for it, as a key too; a key that is none never dies, but zero: a pair without a
//! key keeps nothing.
//!
//! Holds: the last link is zero outside a collection and until the ephemeron has been found. So one that is scanned
//!        again, since the mark stack was full, is found once. A pair's link means nothing outside a collection.

use super::{
    table::{List, NoMemory},
    weak_object::{self, Found},
};
use crate::{
    base::{
        addr::{Addr, Ambiguous, ObjRef, Range},
        sync::{AtomicUsize, Ordering},
    },
    heap::resolve,
};

const WORD: usize = size_of::<usize>();

/// Bytes of the object behind an ephemeron of its own.
pub const BYTES: usize = Pair::BYTES + WORD;

/// Where the list of all ends: no address, and not zero.
const END: usize = 1;
const NOTHING: Range = Range::new(Addr::NULL, Addr::NULL);

/// Ephemerons that there may be: those that the last collection found, and those made since. Relaxed: a figure to size
/// buckets by, which may be a little behind.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// So many ephemerons have been made.
#[inline]
pub fn note_made(count: usize) {
    COUNT.fetch_add(count, Ordering::Relaxed);
}

/// A key and a value in the heap, by the address of the key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pair(Addr);

impl Pair {
    /// Bytes of a pair.
    pub const BYTES: usize = 3 * WORD;

    /// The pair at an address: the start of an ephemeron, or a place in an array of them.
    pub const fn at(address: Addr) -> Self {
        Pair(address)
    }

    fn read(self, index: usize) -> usize {
        // SAFETY: a pair in an object in use has three words, and is followed by a fourth in an ephemeron of its own.
        unsafe { (self.0 + index * WORD).as_ptr::<usize>().read_volatile() }
    }

    fn write(self, index: usize, value: usize) {
        // SAFETY: as above.
        unsafe { (self.0 + index * WORD).as_ptr::<usize>().write_volatile(value) };
    }

    /// Where it is.
    pub fn address(self) -> Addr {
        self.0
    }

    /// The key; zero when it has died, or there is none.
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

    fn link(self) -> usize {
        self.read(2)
    }

    fn set_link(self, link: usize) {
        self.write(2, link);
    }

    /// The object that the key is, or lies in.
    fn key_object(self) -> Option<Addr> {
        resolve::resolve(Ambiguous(self.key())).map(|slot| slot.start())
    }

    /// Whether the key has been marked, or is no object that could die.
    pub(super) fn key_is_live(self) -> bool {
        self.key() != 0 && !weak_object::is_dead(self.key())
    }

    /// Whether the key is an object that has not been marked.
    pub(super) fn has_died(&self) -> bool {
        weak_object::is_dead(self.key())
    }
}

/// The ephemerons of a collection.
pub struct Ephemerons {
    fresh: usize,
    all: usize,
    /// Arrays that were found and not looked through yet, then those that were.
    arrays: Found,
    arrays_seen: Found,
    /// The rest of the array that is being looked through.
    rest: Range,
    waiting: usize,
    buckets: List<usize>,
    buckets_used: bool,
}

impl Ephemerons {
    /// None, without memory.
    pub const fn new() -> Self {
        Ephemerons {
            fresh: 0,
            all: END,
            arrays: Found::new(),
            arrays_seen: Found::new(),
            rest: NOTHING,
            waiting: 0,
            buckets: List::new(),
            buckets_used: false,
        }
    }

    /// Makes buckets for the ephemerons that there may be. Not during a collection.
    pub fn reserve(&mut self) -> Result<(), NoMemory> {
        let count = COUNT.load(Ordering::Relaxed);
        while self.buckets.as_slice().len() * 2 < count.max(64) {
            self.buckets.push(0)?;
        }
        Ok(())
    }

    pub(super) fn begin(&mut self) {
        if self.buckets_used {
            self.buckets.as_mut_slice().fill(0);
        }
        (self.fresh, self.all, self.rest, self.waiting, self.buckets_used) = (0, END, NOTHING, 0, false);
    }

    /// The marker has found this one, perhaps before.
    pub(super) fn found(&mut self, object: ObjRef) {
        let pair = Pair(object.addr());
        if pair.read(3) != 0 {
            return;
        }
        pair.write(3, self.all);
        self.all = pair.0.get();
        self.make_fresh(pair);
    }

    /// The marker has found this array of them, perhaps before.
    pub(super) fn found_array(&mut self, object: ObjRef) {
        self.arrays.add(object);
    }

    fn make_fresh(&mut self, pair: Pair) {
        pair.set_link(self.fresh);
        self.fresh = pair.0.get();
    }

    pub(super) fn take_fresh(&mut self) -> Option<Pair> {
        if let Some(pair) = at(self.fresh) {
            self.fresh = pair.link();
            return Some(pair);
        }
        loop {
            if !self.rest.is_empty() {
                let pair = Pair(self.rest.start);
                self.rest.start = self.rest.start + Pair::BYTES;
                return Some(pair);
            }
            let array = self.arrays.take()?;
            self.arrays_seen.add(array.object());
            self.rest = array.range();
        }
    }

    fn bucket(&mut self, key: Addr) -> &mut usize {
        let buckets = self.buckets.as_mut_slice();
        let hash = (key.get() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        &mut buckets[hash as usize % buckets.len()]
    }

    /// Makes the pair wait until its key, which is an object, is marked.
    pub(super) fn await_key(&mut self, pair: Pair) {
        let Some(key) = pair.key_object() else { return };
        let bucket = self.bucket(key);
        pair.set_link(core::mem::replace(bucket, pair.0.get()));
        self.waiting += 1;
        self.buckets_used = true;
    }

    #[inline(always)]
    pub(super) fn are_waiting(&self) -> bool {
        self.waiting != 0
    }

    /// `key` has just been marked: who waited for it is fresh again.
    pub(super) fn wake(&mut self, key: ObjRef) {
        let key = key.addr();
        let mut previous: Option<Pair> = None;
        let mut next = *self.bucket(key);
        while let Some(pair) = at(next) {
            next = pair.link();
            if pair.key_object() != Some(key) {
                previous = Some(pair);
                continue;
            }
            match previous {
                Some(previous) => previous.set_link(next),
                None => *self.bucket(key) = next,
            }
            self.make_fresh(pair);
            self.waiting -= 1;
        }
    }

    /// Marking is over: ephemerons whose keys died lose both words. Gives how many of those in arrays did.
    pub(super) fn clear_dead(&mut self) -> u64 {
        let (mut count, mut died) = (0, 0);
        while let Some(pair) = self.take() {
            if pair.has_died() {
                pair.set(0, 0);
            }
            count += 1;
        }
        while let Some(array) = self.arrays_seen.take() {
            count += array.room();
            died += array.clear_dead_pairs() as u64;
        }
        COUNT.store(count, Ordering::Relaxed);
        died
    }

    /// The collection is over, or was given up: what has been found is forgotten.
    pub(super) fn end(&mut self) {
        while self.take().is_some() {}
        self.arrays.forget();
        self.arrays_seen.forget();
    }

    /// Takes one off the list of all.
    fn take(&mut self) -> Option<Pair> {
        let pair = at(self.all).filter(|_| self.all != END)?;
        self.all = pair.read(3);
        pair.write(3, 0);
        Some(pair)
    }
}

fn at(address: usize) -> Option<Pair> {
    (address != 0).then(|| Pair(Addr::new(address)))
}
