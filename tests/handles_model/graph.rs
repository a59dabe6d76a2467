//! The real graph: values that know their number and whether they are whole, and edges of every sort there is.

use crate::{log, random::Random, twin::Id};
use gleaner::{Ephemeron, Gc, Weak, WithDrop};
use std::sync::{Arc, Mutex};

pub struct Node {
    pub id: Id,
    words: Box<[u64]>,
    pub edges: Mutex<Vec<Edge>>,
}

/// A value behind a trait object.
pub trait Named: Send + Sync {
    fn node(&self) -> Gc<Node>;
}

impl Named for (u64, Gc<Node>) {
    fn node(&self) -> Gc<Node> {
        self.1
    }
}

#[derive(Clone)]
pub enum Edge {
    Plain(Gc<Node>),
    Boxed(Box<Gc<Node>>),
    Counted(Arc<Gc<Node>>),
    Slice(Gc<[Gc<Node>]>),
    Dynamic(Gc<dyn Named>),
    /// A reference to a part of the value.
    Part(&'static Id),
    Weak(Weak<Node>),
    Pair(Ephemeron<Node, Node>),
    Door(Gc<WithDrop<Door>>),
}

fn word(id: Id, index: usize) -> u64 {
    // Odd, so it is no address of a slot's start, and with its high bits set it is none at all.
    !(u64::from(id) << 20 | (index as u64) << 1)
}

impl Node {
    /// Most are small.
    pub fn with(id: Id, random: &mut Random) -> Node {
        let length = match random.below(1000) {
            0 => 20_000,
            1..10 => 1000,
            _ => random.below(24),
        };
        Node { id, words: (0..length).map(|index| word(id, index)).collect(), edges: Mutex::default() }
    }

    #[track_caller]
    pub fn is_whole(&self, id: Id) {
        assert_eq!(self.id, id, "value {id} is another one");
        let damaged = self.words.iter().enumerate().find(|(index, found)| **found != word(id, *index));
        assert!(damaged.is_none(), "value {id} is damaged: {damaged:x?}");
    }

    /// The first of its words.
    pub fn damage(&self) -> Option<*mut u64> {
        self.words.first().map(|word| std::ptr::from_ref(word).cast_mut())
    }
}

/// A value with a destructor, which notes that it ran.
pub struct Door {
    pub id: Id,
    pub inside: Gc<Node>,
    pub inside_id: Id,
}

impl Door {
    #[track_caller]
    pub fn is_whole(&self, id: Id) {
        assert_eq!(self.id, id, "value {id} is another one");
        self.inside.is_whole(self.inside_id);
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.is_whole(self.id);
        log::note_dropped(self.id);
    }
}

impl Edge {
    /// A strong edge of some sort.
    pub fn new(to: Gc<Node>, random: &mut Random) -> Edge {
        match random.below(8) {
            0 => Edge::Boxed(Box::new(to)),
            1 => Edge::Counted(Arc::new(to)),
            2 => Edge::Slice(Gc::from(vec![to; 1 + random.below(5)])),
            3 => Edge::Dynamic(Gc::from(Box::new((random.next() | 1, to)) as Box<dyn Named>)),
            4 => Edge::Part(&Gc::get(to).id),
            _ => Edge::Plain(to),
        }
    }

    /// Where a strong edge leads, where that can be followed.
    pub fn follow(&self) -> Option<Gc<Node>> {
        match self {
            Edge::Plain(to) => Some(*to),
            Edge::Boxed(to) => Some(**to),
            Edge::Counted(to) => Some(**to),
            Edge::Slice(to) => to.last().copied(),
            Edge::Dynamic(to) => Some(to.node()),
            Edge::Part(_) | Edge::Weak(_) | Edge::Pair(_) | Edge::Door(_) => None,
        }
    }
}
