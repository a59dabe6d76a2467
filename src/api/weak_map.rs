//! A map whose entries live as long as their keys.
//!
//! Open addressing over ephemerons: a key's place follows from its address, which never changes. An entry that was removed,
//! or whose key has died, is a hole that a search goes on over, until the map grows or is rebuilt, which leaves it out.
//!
//! ```text
//!   places   | - | (k1, v1) | (dead) | (k7, v7) | (removed) | - |       a power of two, at most three quarters used
//! ```
//!
//! Holds: `used` counts the places that are not empty, and `len` those of them that were not removed; there is always an
//!        empty one.

use super::{ephemeron::Ephemeron, gc::Gc};
use alloc::vec::Vec;
use core::{fmt, iter::FusedIterator, slice};

/// A map from values, by identity, to what is known of them: an entry lives as long as the value that is its key, and keeps
/// it not.
///
/// The keys are objects, not what they are equal to: two equal strings are two keys. The map's own memory comes back with
/// it; destructors of its values do not run.
///
/// ```
/// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
/// use gleaner::{Gc, WeakMap};
///
/// let mut ages = WeakMap::new();
/// let (ann, bob) = (Gc::new("Ann"), Gc::new("Bob"));
/// ages.insert(ann, 41);
/// ages.insert(bob, 35);
/// ages.insert(ann, 42);
/// assert_eq!(ages.get(ann).as_deref(), Some(&42));
/// assert_eq!(ages.remove(bob).as_deref(), Some(&35));
/// assert_eq!(ages.get(bob), None);
/// ```
// Aligned, as `Gc` is: so it cannot be in a packed structure (E0588).
#[repr(align(8))]
pub struct WeakMap<K: ?Sized, V> {
    entries: Vec<Option<Ephemeron<K, V>>>,
    used: usize,
    len: usize,
}

/// The entries of a map: see [`WeakMap::iter`].
pub struct Iter<'a, K: ?Sized, V> {
    rest: slice::Iter<'a, Option<Ephemeron<K, V>>>,
}

impl<K: ?Sized, V> Clone for Iter<'_, K, V> {
    fn clone(&self) -> Self {
        Iter { rest: self.rest.clone() }
    }
}

impl<K: ?Sized, V> Iterator for Iter<'_, K, V> {
    type Item = (Gc<K>, Gc<V>);

    fn next(&mut self) -> Option<Self::Item> {
        self.rest.find_map(|entry| entry.as_ref().and_then(Ephemeron::both))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.rest.len()))
    }
}

impl<K: ?Sized, V> FusedIterator for Iter<'_, K, V> {}

impl<K: ?Sized + fmt::Debug, V: fmt::Debug> fmt::Debug for Iter<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// Where a search ended.
enum Found {
    /// At the key's entry.
    Entry(usize),
    /// The key has none; here is where it may go.
    Room(usize),
}

impl<K: ?Sized, V> WeakMap<K, V> {
    /// A map without entries, which takes no memory.
    ///
    /// ```
    /// let map = gleaner::WeakMap::<str, u32>::new();
    /// assert_eq!(map.iter().count(), 0);
    /// ```
    pub const fn new() -> Self {
        WeakMap { entries: Vec::new(), used: 0, len: 0 }
    }

    fn place_of(&self, key: Gc<K>) -> usize {
        let address = Gc::as_ptr(key).cast::<u8>().addr() as u64;
        (address.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & (self.entries.len() - 1)
    }

    /// The map has an empty entry, which ends the search.
    fn find(&self, key: Gc<K>) -> Found {
        let mut room = None;
        let mut at = self.place_of(key);
        loop {
            match self.entries[at].map(|entry| entry.key()) {
                None => return Found::Room(room.unwrap_or(at)),
                Some(Some(other)) if Gc::ptr_eq(other, key) => return Found::Entry(at),
                Some(Some(_)) => {}
                Some(None) => room = room.or(Some(at)),
            }
            at = (at + 1) & (self.entries.len() - 1);
        }
    }

    /// What is known of `key`.
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// # use gleaner::{Gc, WeakMap};
    /// let map = WeakMap::<str, u32>::new();
    /// assert_eq!(map.get("anybody".into()), None);
    /// ```
    pub fn get(&self, key: Gc<K>) -> Option<Gc<V>> {
        if self.entries.is_empty() {
            return None;
        }
        match self.find(key) {
            Found::Entry(at) => self.entries[at].and_then(|entry| entry.value()),
            Found::Room(_) => None,
        }
    }

    /// Whether something is known of `key`.
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// # use gleaner::{Gc, WeakMap};
    /// let (mut map, key) = (WeakMap::new(), Gc::new(()));
    /// assert!(!map.contains_key(key));
    /// map.insert(key, 1);
    /// assert!(map.contains_key(key));
    /// ```
    pub fn contains_key(&self, key: Gc<K>) -> bool {
        self.get(key).is_some()
    }

    /// How many entries there are at most: one whose key has died is counted until its place is used again, or the map is
    /// rebuilt, or [`retain`](Self::retain) goes over it. How many there are now, [`iter`](Self::iter) counts.
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// # use gleaner::{Gc, WeakMap};
    /// let keys = [1, 2, 3].map(Gc::new);
    /// let mut map: WeakMap<u32, ()> = keys.iter().map(|key| (*key, ())).collect();
    /// map.remove(keys[1]);
    /// assert_eq!(map.len(), 2);
    /// assert_eq!(map.iter().count(), 2);
    /// # assert_eq!(*keys[2], 3);
    /// ```
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is certainly no entry: whether [`len`](Self::len) is zero.
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// # use gleaner::{Gc, WeakMap};
    /// let (mut map, key) = (WeakMap::new(), Gc::new(()));
    /// assert!(map.is_empty());
    /// map.insert(key, 1);
    /// assert!(!map.is_empty());
    /// map.remove(key);
    /// assert!(map.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Notes `value` for `key`, and gives what was noted before.
    ///
    /// # Panics
    /// As [`Gc::new`].
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// # use gleaner::{Gc, WeakMap};
    /// let (mut map, key) = (WeakMap::new(), Gc::new(()));
    /// assert_eq!(map.insert(key, 1), None);
    /// assert_eq!(map.insert(key, 2), Some(Gc::new(1)));
    /// ```
    pub fn insert(&mut self, key: Gc<K>, value: V) -> Option<Gc<V>> {
        self.note(key, Gc::new(value))
    }

    fn note(&mut self, key: Gc<K>, value: Gc<V>) -> Option<Gc<V>> {
        let entry = Ephemeron::new(key, value);
        self.make_room();
        match self.find(key) {
            Found::Entry(at) => self.entries[at].replace(entry).and_then(|former| former.value()),
            Found::Room(at) => {
                match self.entries[at].replace(entry) {
                    // Its key has died: it was counted until now.
                    Some(former) if !former.is_emptied() => {}
                    Some(_) => self.len += 1,
                    None => {
                        self.used += 1;
                        self.len += 1;
                    }
                }
                None
            }
        }
    }

    /// What is known of `key`, or what `make` says, which is noted then. If `make` panics, nothing is noted.
    ///
    /// # Panics
    /// As [`Gc::new`].
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// # use gleaner::{Gc, WeakMap};
    /// let (mut lengths, text) = (WeakMap::new(), Gc::new(String::from("four")));
    /// assert_eq!(*lengths.get_or_insert_with(text, || text.len()), 4);
    /// assert_eq!(*lengths.get_or_insert_with(text, || unreachable!()), 4);
    /// ```
    pub fn get_or_insert_with(&mut self, key: Gc<K>, make: impl FnOnce() -> V) -> Gc<V> {
        if let Some(value) = self.get(key) {
            return value;
        }
        let value = Gc::new(make());
        self.note(key, value);
        value
    }

    /// Forgets `key`, and gives what was noted for it.
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// # use gleaner::{Gc, WeakMap};
    /// let (mut map, key) = (WeakMap::new(), Gc::new(()));
    /// map.insert(key, 1);
    /// assert_eq!(map.remove(key), Some(Gc::new(1)));
    /// assert_eq!(map.remove(key), None);
    /// ```
    pub fn remove(&mut self, key: Gc<K>) -> Option<Gc<V>> {
        if self.entries.is_empty() {
            return None;
        }
        match self.find(key) {
            Found::Entry(at) => {
                let value = self.entries[at]?.value();
                self.remove_at(at);
                value
            }
            Found::Room(_) => None,
        }
    }

    /// The entry at `at` is no more, for a search and for the collector.
    fn remove_at(&mut self, at: usize) {
        if let Some(entry) = self.entries[at].filter(|entry| !entry.is_emptied()) {
            entry.clear();
            self.entries[at] = Some(entry.emptied());
            self.len -= 1;
        }
    }

    /// Forgets the entries of which `keep` says `false`, and those whose keys have died. If `keep` panics, those that it
    /// has not been asked about stay.
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// # use gleaner::{Gc, WeakMap};
    /// let keys: Vec<Gc<u32>> = (0..100).map(Gc::new).collect();
    /// let mut map: WeakMap<u32, bool> = keys.iter().map(|key| (*key, **key % 3 == 0)).collect();
    /// map.retain(|_, divisible| *divisible);
    /// assert_eq!(map.len(), 34);
    /// assert!(map.contains_key(keys[99]) && !map.contains_key(keys[98]));
    /// ```
    pub fn retain(&mut self, mut keep: impl FnMut(Gc<K>, Gc<V>) -> bool) {
        for at in 0..self.entries.len() {
            let entry = self.entries[at].as_ref().and_then(Ephemeron::both);
            if !entry.is_some_and(|(key, value)| keep(key, value)) {
                self.remove_at(at);
            }
        }
    }

    /// The keys that are still there, with what is noted for them, in no order.
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// # use gleaner::{Gc, WeakMap};
    /// let mut map = WeakMap::new();
    /// let keys: Vec<Gc<u32>> = (0..100).map(Gc::new).collect();
    /// map.extend(keys.iter().map(|&key| (key, *key * 2)));
    /// assert!(map.iter().all(|(key, value)| *value == *key * 2));
    /// assert_eq!(map.iter().count(), keys.len());
    /// ```
    pub fn iter(&self) -> Iter<'_, K, V> {
        Iter { rest: self.entries.iter() }
    }

    /// Forgets everything.
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// # use gleaner::{Gc, WeakMap};
    /// let (mut map, key) = (WeakMap::new(), Gc::new(()));
    /// map.insert(key, 1);
    /// map.clear();
    /// assert_eq!(map.get(key), None);
    /// ```
    pub fn clear(&mut self) {
        *self = WeakMap::new();
    }

    /// Sees to it that one more entry leaves a quarter empty. Holes are left out when the map is rebuilt, which then may become
    /// smaller.
    fn make_room(&mut self) {
        if (self.used + 1) * 4 <= self.entries.len() * 3 {
            return;
        }
        let alive: Vec<(Gc<K>, Ephemeron<K, V>)> =
            self.entries.iter().flatten().filter_map(|entry| Some((entry.key()?, *entry))).collect();
        let length = ((alive.len() + 1) * 2).next_power_of_two().max(8);
        self.entries.clear();
        self.entries.resize(length, None);
        self.used = alive.len();
        self.len = alive.len();
        for (key, entry) in alive {
            if let Found::Room(at) = self.find(key) {
                self.entries[at] = Some(entry);
            }
        }
    }
}

impl<'a, K: ?Sized, V> IntoIterator for &'a WeakMap<K, V> {
    type Item = (Gc<K>, Gc<V>);
    type IntoIter = Iter<'a, K, V>;

    fn into_iter(self) -> Iter<'a, K, V> {
        self.iter()
    }
}

impl<K: ?Sized, V> Default for WeakMap<K, V> {
    fn default() -> Self {
        WeakMap::new()
    }
}

impl<K: ?Sized + fmt::Debug, V: fmt::Debug> fmt::Debug for WeakMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: ?Sized, V> Extend<(Gc<K>, V)> for WeakMap<K, V> {
    fn extend<I: IntoIterator<Item = (Gc<K>, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<K: ?Sized, V> FromIterator<(Gc<K>, V)> for WeakMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (Gc<K>, V)>>(entries: I) -> Self {
        let mut map = WeakMap::new();
        map.extend(entries);
        map
    }
}
