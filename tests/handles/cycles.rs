//! Cycles come back, with all that they own: a million of them take the room of a few.

use crate::{child, world::alone};
use gleaner::Gc;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

const CYCLES: usize = 1_000_000;

struct Person {
    name: String,
    friends: RefCell<Vec<Gc<Person>>>,
    best: Cell<Option<Gc<Person>>>,
}

/// Two that know each other, and themselves.
#[inline(never)]
fn pair(number: usize) -> usize {
    let new = |name: String| Gc::new(Person { name, friends: RefCell::new(Vec::new()), best: Cell::new(None) });
    let (ann, bob) = (new(format!("Ann, the {number}th of her name")), new(String::from("Bob")));
    ann.friends.borrow_mut().extend([bob, ann]);
    bob.friends.borrow_mut().push(ann);
    bob.best.set(Some(ann));
    bob.best.get().unwrap().name.len() + ann.friends.borrow()[0].name.len()
}

/// Makes a million, some hundreds of bytes each, in a heap of a few.
fn take_no_room(name: &str, make: impl Fn(usize) -> usize) {
    child::succeeds(&format!("cycles::{name}"), "floor=1M:limit=12M", || {
        let _alone = alone();
        for number in 0..CYCLES {
            assert!(make(number) > 0);
        }
        let all = gleaner::api::stats::now();
        assert!(all.bytes_reclaimed_total > 64 << 20, "{all:?}");
    });
}

#[test]
fn a_million_cycles_of_handles() {
    take_no_room("a_million_cycles_of_handles", pair);
}

#[test]
fn a_million_cycles_of_counted_pointers() {
    struct Node(String, RefCell<Option<Rc<Node>>>);
    take_no_room("a_million_cycles_of_counted_pointers", |number| {
        let node = Rc::new(Node(format!("node {number}"), RefCell::new(None)));
        *node.1.borrow_mut() = Some(node.clone());
        node.0.len()
    });
}

#[test]
fn a_million_forgotten_vectors() {
    take_no_room("a_million_forgotten_vectors", |number| {
        let words = vec![number; 64];
        let length = words.len();
        std::mem::forget(words);
        length
    });
}

#[test]
fn a_long_list_with_a_link_back() {
    struct Link(Cell<Option<Gc<Link>>>, Cell<Option<Gc<Link>>>);
    // SAFETY: one thread at a time looks at it.
    unsafe impl Sync for Link {}
    #[inline(never)]
    fn ring(length: usize) -> gleaner::Weak<Link> {
        let new = || Gc::new(Link(Cell::new(None), Cell::new(None)));
        let first = new();
        let last = (1..length).fold(first, |last, _| {
            let next = new();
            last.0.set(Some(next));
            next.1.set(Some(last));
            next
        });
        last.0.set(Some(first));
        first.1.set(Some(last));
        Gc::downgrade(first)
    }
    let _alone = alone();
    let rings = crate::world::elsewhere(|| (0..20).map(|_| ring(20_000)).collect::<Vec<_>>());
    crate::world::nearly_all(&rings);
}

/// Vectors of two handles have room for two more, where others' handles lay before.
#[test]
fn room_to_spare_keeps_nothing_of_what_lay_there_before() {
    child::succeeds("cycles::room_to_spare_keeps_nothing_of_what_lay_there_before", "floor=1M", || {
        let _alone = alone();
        for number in 0..CYCLES {
            assert!(pair(number) > 0);
        }
        let all = gleaner::api::stats::now();
        assert!(all.bytes_heap < 5 << 20, "{all:?}");
    });
}
