//! A handle keeps its value wherever a program keeps pointers on the heap, and no longer.

use crate::world::{Node, keeps};
use gleaner::Gc;
use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::{BTreeMap, BinaryHeap, HashMap, LinkedList, VecDeque},
    mem::{ManuallyDrop, MaybeUninit},
    pin::Pin,
    rc::Rc,
    sync::{Arc, Mutex, RwLock},
};

#[test]
fn a_vector() {
    keeps(|node| vec![node; 3], |place| Gc::get(place[2]));
}

#[test]
fn a_vector_that_has_grown() {
    let grow = |node| {
        let mut nodes = vec![node];
        (0..1000).for_each(|number| nodes.push(Node::new(number)));
        nodes
    };
    keeps(grow, |place| Gc::get(place[0]));
}

#[test]
fn a_box() {
    keeps(Box::new, |place| Gc::get(**place));
}

#[test]
fn a_box_in_a_box_in_an_option() {
    keeps(|node| Some(Box::new(Box::new(Some(node)))), |place| Gc::get(place.as_ref().unwrap().unwrap()));
}

#[test]
fn counted_pointers() {
    keeps(|node| Rc::new(RefCell::new(node)), |place| Gc::get(*place.borrow()));
    keeps(|node| Arc::new(Mutex::new(node)), |place| Gc::get(*place.lock().unwrap()));
    keeps(|node| Arc::<[Gc<Node>]>::from(vec![node, node]), |place| Gc::get(place[1]));
}

#[test]
fn maps() {
    keeps(|node| HashMap::from([("key", node)]), |place| Gc::get(place["key"]));
    keeps(|node| BTreeMap::from([(node.number, node)]), |place| Gc::get(*place.values().next().unwrap()));
    keeps(|node| (0..500).map(|key| (key, node)).collect::<BTreeMap<usize, Gc<Node>>>(), |place| Gc::get(place[&499]));
}

#[test]
fn the_key_of_a_map() {
    /// By its number, as the handle compares by its value.
    fn key(number: usize) -> Gc<usize> {
        Gc::new(number)
    }
    keeps(
        |node| HashMap::from([(key(node.number), node), (key(1 << 20), node)]),
        |place| Gc::get(place[&(1usize << 20)]),
    );
}

#[test]
fn lists_queues_and_heaps() {
    keeps(|node| LinkedList::from([node, node]), |place| Gc::get(*place.back().unwrap()));
    keeps(|node| VecDeque::from([node, node]), |place| Gc::get(*place.front().unwrap()));
    keeps(|node| BinaryHeap::from([ByNumber(node)]), |place| Gc::get(place.peek().unwrap().0));
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct ByNumber(Gc<Node>);

impl PartialEq for Node {
    fn eq(&self, other: &Node) -> bool {
        self.number == other.number
    }
}

impl Eq for Node {}

impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Node) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Node {
    fn cmp(&self, other: &Node) -> std::cmp::Ordering {
        self.number.cmp(&other.number)
    }
}

#[test]
fn a_closure() {
    keeps(|node| Box::new(move || Gc::get(node)) as Box<dyn Fn() -> &'static Node>, |place| place());
}

#[test]
fn an_iterator_that_has_been_begun() {
    let begin = |node| {
        let mut rest = vec![Node::new(7), node, Node::new(8)].into_iter();
        rest.next();
        rest
    };
    keeps(begin, |place| Gc::get(place.as_slice()[0]));
    // Its next element is all that leads to the slice.
    let begin = |node| {
        let mut rest = Gc::get(Gc::<[Gc<Node>]>::from([Node::new(7), node])).iter();
        rest.next();
        Box::new(rest)
    };
    keeps(begin, |place| place.as_slice()[0].as_ref());
}

#[test]
fn another_value_of_the_heap() {
    keeps(Gc::new, |place| Gc::get(**place));
    keeps(|node| Gc::new(Cell::new(Some(node))), |place| Gc::get(place.get().unwrap()));
    keeps(|node| Gc::new(RwLock::new(vec![node])), |place| Gc::get(place.read().unwrap()[0]));
    keeps(|node| Gc::<[Gc<Node>]>::from(vec![node; 9]), |place| Gc::get(place[8]));
}

#[test]
fn a_cell_that_is_written_once() {
    let written = |node| {
        let cell = Gc::new(OnceCell::new());
        cell.set(node).expect("it was empty");
        cell
    };
    keeps(written, |place| Gc::get(*place.get().unwrap()));
}

#[test]
fn a_value_that_was_stored_later() {
    let stored = |node| {
        let cell = Gc::new(RefCell::new(None));
        crate::world::collect();
        *cell.borrow_mut() = Some(node);
        cell
    };
    keeps(stored, |place| Gc::get(place.borrow().unwrap()));
}

#[test]
fn references_and_raw_pointers() {
    keeps(|node| Box::new(Gc::get(node)), |place| place);
    // SAFETY: the box is searched, so its address keeps the value.
    keeps(|node| Box::new(Gc::as_ptr(node)), |place| unsafe { &***place });
}

#[test]
fn a_reference_to_a_part() {
    struct Outer(#[allow(dead_code, reason = "it moves the inner one away from the start")] [u64; 40], Node);
    let part = |node: Gc<Node>| {
        let outer = Gc::new(Outer([0; 40], Node::with(node.number)));
        Box::new((&Gc::get(outer).1, node))
    };
    keeps(part, |place| place.0);
}

#[test]
fn what_is_not_dropped() {
    keeps(|node| Box::new(ManuallyDrop::new(node)), |place| Gc::get(***place));
    keeps(|node| &*Box::leak(Box::new(node)), |place| Gc::get(**place));
    keeps(Box::pin, |place: &Pin<Box<Gc<Node>>>| Gc::get(**place));
    // SAFETY: written where it is made.
    keeps(|node| Box::new(MaybeUninit::new(node)), |place| Gc::get(unsafe { *place.assume_init_ref() }));
}

#[test]
fn an_array_on_the_stack() {
    let _alone = crate::world::alone();
    let nodes: [Gc<Node>; 8] = std::array::from_fn(Node::new);
    crate::world::collect();
    nodes.iter().enumerate().for_each(|(number, node)| node.is(number));
}
