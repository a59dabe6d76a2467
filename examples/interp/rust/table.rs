//! Hash tables, by `eqv?` or by `equal?`, whose entries stay in the order of their coming.
//!
//! Values are keys as they are: an address is a good hash, for objects do not move.

use crate::value::Value;
use gleaner::Gc;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};

#[derive(Default)]
pub struct Table {
    by_equal: bool,
    index: HashMap<Key, usize>,
    /// A removed entry leaves its place empty, until the table is made anew.
    entries: Vec<Option<(Value, Value)>>,
}

struct Key {
    value: Value,
    by_equal: bool,
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        if self.by_equal { self.value.is_equal(other.value) } else { self.value.is_same(other.value) }
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_within(self.value, self.by_equal, &mut 64, state);
    }
}

/// Equal values have equal hashes. A long or deep value is not read to its end.
fn hash_within<H: Hasher>(value: Value, by_equal: bool, budget: &mut usize, state: &mut H) {
    if *budget == 0 {
        return;
    }
    *budget -= 1;
    match value {
        Value::Int(n) => n.hash(state),
        Value::Float(x) => x.to_bits().hash(state),
        Value::Char(c) => c.hash(state),
        Value::Bool(b) => b.hash(state),
        Value::Symbol(symbol) => address(symbol).hash(state),
        Value::Text(text) if by_equal => text.borrow().hash(state),
        Value::Pair(pair) if by_equal => {
            hash_within(pair.head.get(), true, budget, state);
            hash_within(pair.tail.get(), true, budget, state);
        }
        Value::Vector(vector) if by_equal => {
            vector.0.iter().for_each(|item| hash_within(item.get(), true, budget, state));
        }
        Value::Text(text) => address(text).hash(state),
        Value::Pair(pair) => address(pair).hash(state),
        Value::Vector(vector) => address(vector).hash(state),
        // The others are told apart by `eq` alone.
        _ => {}
    }
}

fn address<T>(handle: Gc<T>) -> usize {
    std::ptr::from_ref::<T>(&*handle).addr()
}

impl Table {
    pub fn new(by_equal: bool) -> Table {
        Table { by_equal, ..Table::default() }
    }

    fn place(&self, value: Value) -> Option<usize> {
        self.index.get(&Key { value, by_equal: self.by_equal }).copied()
    }

    pub fn get(&self, key: Value) -> Option<Value> {
        self.entries[self.place(key)?].map(|(_, value)| value)
    }

    pub fn insert(&mut self, key: Value, value: Value) {
        if let Some(place) = self.place(key) {
            self.entries[place] = Some((key, value));
            return;
        }
        if self.entries.len() > 2 * self.index.len() + 8 {
            self.close_gaps();
        }
        self.index.insert(Key { value: key, by_equal: self.by_equal }, self.entries.len());
        self.entries.push(Some((key, value)));
    }

    fn close_gaps(&mut self) {
        self.entries.retain(Option::is_some);
        for (place, &(key, _)) in self.entries.iter().flatten().enumerate() {
            self.index.insert(Key { value: key, by_equal: self.by_equal }, place);
        }
    }

    /// Whether it was there.
    pub fn remove(&mut self, value: Value) -> bool {
        let place = self.index.remove(&Key { value, by_equal: self.by_equal });
        place.is_some_and(|place| self.entries[place].take().is_some())
    }

    pub fn clear(&mut self) {
        *self = Table::new(self.by_equal);
    }

    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Keys and values, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Value, Value)> {
        self.entries.iter().flatten().copied()
    }
}
