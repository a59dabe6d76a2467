//! A map whose entries live as long as their keys.
//!
//! Open addressing over ephemerons: a key's place follows from its address, which never changes. An entry whose key has
//! died is a hole that a search goes on over, until the map grows or is rebuilt, which leaves it out.
//!
//! ```text
//!   entries   | - | (k1, v1) | (dead) | (k7, v7) | - |       a power of two, at most three quarters used or dead
//! ```
//!
//! Holds: `used` counts the entries that are not empty, the dead ones too; there is always an empty one.

use super::{ephemeron::Ephemeron, gc::Gc};
use alloc::vec::Vec;
use core::fmt;

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
pub struct WeakMap<K: ?Sized, V> {
    entries: Vec<Option<Ephemeron<K, V>>>,
    used: usize,
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
        WeakMap { entries: Vec::new(), used: 0 }
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
        let entry = Ephemeron::new(key, Gc::new(value));
        self.make_room();
        match self.find(key) {
            Found::Entry(at) => self.entries[at].replace(entry).and_then(|former| former.value()),
            Found::Room(at) => {
                self.used += usize::from(self.entries[at].is_none());
                self.entries[at] = Some(entry);
                None
            }
        }
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
                let entry = self.entries[at]?;
                let value = entry.value();
                entry.clear();
                value
            }
            Found::Room(_) => None,
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
    pub fn iter(&self) -> impl Iterator<Item = (Gc<K>, Gc<V>)> {
        self.entries.iter().flatten().filter_map(|entry| Some((entry.key()?, entry.value()?)))
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

    /// Sees to it that one more entry leaves a quarter empty. Dead entries are left out when the map is rebuilt, which then
    /// may become smaller.
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
        for (key, entry) in alive {
            if let Found::Room(at) = self.find(key) {
                self.entries[at] = Some(entry);
            }
        }
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
