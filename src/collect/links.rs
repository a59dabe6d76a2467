//! Weak links: words anywhere in memory that hide an object's address, and are zero once the object is gone.
//!
//! What a link holds is the program's business: it may be the address in a place that is not searched, or the address
//! disguised. The table knows each link by where it is. Links are cleared while the world is stopped, so a reader finds
//! the object or zero; who reads a disguised one is kept from being stopped between reading and undoing the disguise by
//! its gate, or risks to have an address whose object is gone.
//!
//! ```text
//!   link (a word of the program's)   ->   object
//!   in an object that dies                the entry is forgotten
//!   object is not marked                  the word is set to zero, the entry is forgotten
//! ```
//!
//! Objects and links that are freed by hand stay in the table until a collection finds them unmarked: a program takes its
//! links back before it frees what they lie in.
//!
//! Holds:   no entry's link lies in an object that a collection has taken back.
//! Threads: the tables' lock; clearing with the world stopped.

use super::{
    mark::is_marked,
    table::{Map, NoMemory},
    weak::WeakKind,
};
use crate::{
    base::addr::{Addr, Ambiguous, Range},
    heap::{cage, resolve},
};

/// All links of one kind and the other.
pub struct Links {
    short: Map<usize>,
    long: Map<usize>,
    /// Whether a link lay in an object that was not marked when those of its kind were cleared last.
    is_short_in_doubt: bool,
    is_long_in_doubt: bool,
}

/// What came of moving a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moved {
    /// It is where it was to go.
    Done,
    /// There is none at the old place.
    NotFound,
    /// There is another at the new place.
    Occupied,
}

impl Links {
    /// None, without memory.
    pub const fn new() -> Self {
        Links { short: Map::new(), long: Map::new(), is_short_in_doubt: false, is_long_in_doubt: false }
    }

    fn of(&mut self, kind: WeakKind) -> &mut Map<usize> {
        self.with_doubt(kind).0
    }

    fn with_doubt(&mut self, kind: WeakKind) -> (&mut Map<usize>, &mut bool) {
        match kind {
            WeakKind::Short => (&mut self.short, &mut self.is_short_in_doubt),
            WeakKind::Long => (&mut self.long, &mut self.is_long_in_doubt),
        }
    }

    /// Has the word at `link` cleared when the object that begins at `object` is gone. `true`: there was an entry, which is
    /// about this object from now on.
    pub fn register(&mut self, kind: WeakKind, link: Addr, object: Addr) -> Result<bool, NoMemory> {
        Ok(self.of(kind).insert(link, object.get())?.is_some())
    }

    /// Forgets a link. `false`: there is none.
    pub fn unregister(&mut self, kind: WeakKind, link: Addr) -> bool {
        self.of(kind).remove(link).is_some()
    }

    /// The entry of one link becomes that of another.
    pub fn relocate(&mut self, kind: WeakKind, from: Addr, to: Addr) -> Moved {
        let map = self.of(kind);
        let Some(object) = map.get(from) else { return Moved::NotFound };
        if from == to {
            return Moved::Done;
        }
        if map.get(to).is_some() {
            return Moved::Occupied;
        }
        map.remove(from);
        // There is room: one has just been removed.
        let _ = map.insert(to, object);
        Moved::Done
    }

    /// How many links there are.
    pub fn len(&self) -> usize {
        self.short.len() + self.long.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Clears the links of a kind whose objects are not marked: how many. The world is stopped.
    pub fn clear_unmarked(&mut self, kind: WeakKind) -> u64 {
        let (links, is_in_doubt) = self.with_doubt(kind);
        let (mut cleared, mut places) = (0, Places::new());
        *is_in_doubt = false;
        links.retain(|link, object| {
            let (stays, lives) = (is_marked(Addr::new(*object)), places.lives(link));
            if !stays {
                cleared += 1;
                if lives {
                    // SAFETY: the program answers for the link being a word that can be written, until it takes it back.
                    unsafe { link.as_ptr::<usize>().write_volatile(0) };
                }
            }
            *is_in_doubt |= stays && !lives;
            stays
        });
        cleared
    }

    /// Forgets the links of a kind that lie in objects that are not marked. The world is stopped, since before they were
    /// [cleared](Self::clear_unmarked); what was marked then still is.
    pub fn forget_dead(&mut self, kind: WeakKind) {
        let (links, is_in_doubt) = self.with_doubt(kind);
        if core::mem::replace(is_in_doubt, false) {
            let mut places = Places::new();
            links.retain(|link, _| places.lives(link));
        }
    }
}

/// Where links lie. Most are one table's of the program's, an object that is looked at once while they follow each other.
struct Places {
    /// The object that the last link lay in, and whether it is marked.
    last: Range,
    is_marked: bool,
}

impl Places {
    fn new() -> Places {
        Places { last: Range::new(Addr::NULL, Addr::NULL), is_marked: false }
    }

    /// Whether a link does not lie in an object that dies, nor in a free part of the heap. No object is marked meanwhile.
    #[inline]
    fn lives(&mut self, link: Addr) -> bool {
        if self.last.contains(link) { self.is_marked } else { self.look(link) }
    }

    fn look(&mut self, link: Addr) -> bool {
        match resolve::resolve(Ambiguous(link.get())) {
            Some(slot) => {
                self.last = Range::sized(slot.start(), slot.bytes());
                self.is_marked = slot.word().is_marked(slot.bit());
                self.is_marked
            }
            None => !cage::contains(link),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::collections::HashMap;

    const KINDS: [WeakKind; 2] = [WeakKind::Short, WeakKind::Long];

    /// One map of what is registered, by place and kind.
    #[derive(Default)]
    struct Twin(HashMap<(usize, usize), usize>);

    impl Twin {
        fn relocate(&mut self, kind: usize, from: usize, to: usize) -> Moved {
            match (self.0.get(&(kind, from)).copied(), self.0.contains_key(&(kind, to))) {
                (None, _) => Moved::NotFound,
                (Some(_), true) if from != to => Moved::Occupied,
                (Some(object), _) => {
                    self.0.remove(&(kind, from));
                    self.0.insert((kind, to), object);
                    Moved::Done
                }
            }
        }
    }

    #[test]
    fn links_agree_with_a_naive_twin_over_a_random_walk() {
        let mut seed = std::env::var("SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(0x9e37_79b9_7f4a_7c15u64);
        std::println!("SEED={seed}");
        let mut random = move || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed as usize
        };
        let (mut links, mut twin) = (Links::new(), Twin::default());
        for _ in 0..200_000 {
            let (kind, place, other) = (random() % 2, (random() % 300 + 1) * 8, (random() % 300 + 1) * 8);
            let (link, weak) = (Addr::new(place), KINDS[kind]);
            match random() % 4 {
                0 => assert_eq!(links.unregister(weak, link), twin.0.remove(&(kind, place)).is_some()),
                1 => assert_eq!(links.relocate(weak, link, Addr::new(other)), twin.relocate(kind, place, other)),
                _ => {
                    let was_there = twin.0.insert((kind, place), other).is_some();
                    assert_eq!(links.register(weak, link, Addr::new(other)), Ok(was_there));
                }
            }
            assert_eq!(links.len(), twin.0.len());
        }
    }

    #[test]
    fn what_is_no_object_is_gone_and_the_word_is_cleared() {
        let mut links = Links::new();
        let words = [1usize, 2, 3].map(core::cell::Cell::new);
        let at = |index: usize| Addr::of(&raw const words[index]);
        for (index, kind) in KINDS.into_iter().enumerate() {
            links.register(kind, at(index), Addr::new(0x1230)).expect("memory for an entry");
        }
        assert_eq!(links.clear_unmarked(WeakKind::Short), 1);
        // SAFETY: words of ours.
        let now = [0, 1, 2].map(|index| unsafe { at(index).as_ptr::<usize>().read_volatile() });
        assert_eq!((now, links.len()), ([0, 2, 3], 1));
        links.forget_dead(WeakKind::Long);
        assert_eq!(links.len(), 1, "a link outside the heap is never forgotten by itself");
    }
}
