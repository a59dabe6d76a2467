//! The naive twin: what is where, as plain numbers. It holds no address.

use std::hash::{BuildHasherDefault, DefaultHasher};

/// Maps and sets whose order is the same in each run.
pub type HashMap<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<DefaultHasher>>;
pub type HashSet<K> = std::collections::HashSet<K, BuildHasherDefault<DefaultHasher>>;

/// A value's number, which is never given twice.
pub type Id = u32;

/// What an edge of the real graph is to reachability.
#[derive(Clone, Copy, Debug)]
pub enum Edge {
    Strong(Id),
    Weak(Id),
    Pair { key: Id, value: Id },
}

#[derive(Default)]
pub struct Value {
    pub edges: Vec<Edge>,
    /// For a value with a destructor: whether it may have run.
    pub may_be_dropped: bool,
    /// Whether it was unreachable when the last check was made.
    pub was_unreachable: bool,
}

/// All values that have been made and that nobody has seen dead.
#[derive(Default)]
pub struct Twin {
    pub values: HashMap<Id, Value>,
    /// Roots, with how many there are to each.
    roots: HashMap<Id, u32>,
    /// The weak map's entries.
    pub map: HashMap<Id, Id>,
}

impl Twin {
    pub fn add_root(&mut self, id: Id) {
        *self.roots.entry(id).or_default() += 1;
    }

    pub fn remove_root(&mut self, id: Id) {
        let count = self.roots.get_mut(&id).expect("a root of the twin's");
        *count -= 1;
        if *count == 0 {
            self.roots.remove(&id);
        }
    }

    /// What the program can reach: over pairs too, whose value counts once the pair and its key do.
    pub fn reachable(&self) -> HashSet<Id> {
        let mut open: Vec<Id> = self.roots.keys().copied().collect();
        let mut reached = HashSet::default();
        let mut waiting: HashMap<Id, Vec<Id>> = HashMap::default();
        self.map.iter().for_each(|(key, value)| waiting.entry(*key).or_default().push(*value));
        while let Some(id) = open.pop() {
            if !reached.insert(id) {
                continue;
            }
            open.extend(waiting.remove(&id).into_iter().flatten());
            for edge in &self.values[&id].edges {
                match *edge {
                    Edge::Strong(to) => open.push(to),
                    Edge::Weak(_) => {}
                    Edge::Pair { key, value } if reached.contains(&key) => open.push(value),
                    Edge::Pair { key, value } => waiting.entry(key).or_default().push(value),
                }
            }
        }
        reached
    }

    /// A value that may have been unreachable gets a root again: destructors may have run in what comes with it.
    pub fn bring_back(&mut self, id: Id) {
        let before = self.reachable();
        self.add_root(id);
        if !before.contains(&id) {
            for back in self.reachable().difference(&before) {
                self.values.get_mut(back).expect("reachable").may_be_dropped = true;
            }
        }
    }
}
