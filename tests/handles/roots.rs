//! A root keeps its value from where nobody searches, and only as long as there is one.

use crate::unsearched::unsearched;
use crate::world::{self, Node, alone, collect, nearly_all};
use gleaner::{Gc, Root, Weak};
use std::{cell::RefCell, mem::MaybeUninit, thread};

/// Memory that is not searched.
struct Shared {
    places: &'static mut [MaybeUninit<Root<Node>>],
}

impl Shared {
    fn new(length: usize) -> Shared {
        Shared { places: unsearched(length) }
    }

    /// Fills all places; what they keep has no other handle then.
    #[inline(never)]
    fn fill(&mut self) -> Vec<Weak<Node>> {
        let fill = |(number, place): (usize, &mut MaybeUninit<Root<Node>>)| {
            let root = Root::new(Node::with(number));
            let weak = Gc::downgrade(Root::gc(&root));
            place.write(root);
            weak
        };
        self.places.iter_mut().enumerate().map(fill).collect()
    }

    fn roots(&self) -> impl Iterator<Item = &Root<Node>> {
        // SAFETY: the tests fill all places first.
        self.places.iter().map(|place| unsafe { place.assume_init_ref() })
    }

    /// Takes what is there.
    fn take(&mut self) -> impl Iterator<Item = Root<Node>> {
        // SAFETY: as above; each is taken once.
        self.places.iter_mut().map(|place| unsafe { place.assume_init_read() })
    }
}

#[test]
fn a_root_in_memory_that_is_not_searched() {
    let _alone = alone();
    let mut shared = Shared::new(1000);
    let weak = shared.fill();
    for _ in 0..3 {
        collect();
        shared.roots().enumerate().for_each(|(number, root)| root.is(number));
        assert_eq!(world::dead(&weak), 0);
    }
    shared.take().for_each(drop);
    nearly_all(&weak);
}

#[test]
fn the_same_memory_keeps_no_value_by_a_plain_handle() {
    let _alone = alone();
    let mut shared = Shared::new(1000);
    let weak = shared.fill();
    #[inline(never)]
    fn lay_plain(shared: &mut Shared, weak: &[Weak<Node>]) {
        shared.take().for_each(drop);
        for (place, weak) in shared.places.iter_mut().zip(weak) {
            let address = Gc::as_ptr(weak.upgrade().expect("rooted until now"));
            // SAFETY: a place is larger than an address, and its root is gone.
            unsafe { place.as_mut_ptr().cast::<*const Node>().write(address) };
        }
    }
    lay_plain(&mut shared, &weak);
    // Else the test before this one shows nothing.
    nearly_all(&weak);
}

#[test]
fn the_last_of_several_roots_counts() {
    let _alone = alone();
    let mut shared = Shared::new(100);
    let weak = shared.fill();
    for _ in 0..5 {
        let clones: Vec<Root<Node>> = shared.roots().cloned().collect();
        shared.take().for_each(drop);
        shared.places.iter_mut().zip(clones).for_each(|(place, clone)| _ = place.write(clone));
        collect();
        shared.roots().enumerate().for_each(|(number, root)| root.is(number));
    }
    shared.take().for_each(drop);
    nearly_all(&weak);
}

#[test]
fn roots_of_handles_and_of_parts() {
    let _alone = alone();
    let nodes: Gc<[Node]> = (0..100).map(Node::with).collect();
    let part = Gc::root(Gc::map(nodes, |nodes| &nodes[50]));
    let whole = Root::from(nodes);
    let weak = Gc::downgrade(nodes);
    collect();
    part.is(50);
    assert!(Gc::ptr_eq(Root::gc(&whole), nodes) && Root::ptr_eq(&whole, &whole.clone()));
    drop(whole);
    collect();
    weak.upgrade().expect("a root of a part keeps the whole").iter().enumerate().for_each(|(at, node)| node.is(at));
    assert_eq!(format!("{:?} {}", Root::new("a"), Root::new("b")), "\"a\" b");
}

#[test]
fn roots_cloned_and_dropped_by_many_threads() {
    let _alone = alone();
    let roots: Vec<Root<Node>> = (0..100).map(|number| Root::new(Node::with(number))).collect();
    let weak: Vec<Weak<Node>> = roots.iter().map(|root| Gc::downgrade(Root::gc(root))).collect();
    let use_them = |roots: Vec<Root<Node>>| {
        for round in 0..200 {
            let clones = roots.clone();
            clones.iter().enumerate().for_each(|(number, root)| root.is(number));
            if round % 50 == 0 {
                collect();
            }
        }
    };
    let threads: Vec<_> = (0..4).map(|_| roots.clone()).map(|roots| thread::spawn(move || use_them(roots))).collect();
    drop(roots);
    threads.into_iter().for_each(|thread| thread.join().expect("its values are whole"));
    nearly_all(&weak);
}

#[test]
fn a_cycle_through_a_root_stays() {
    struct Knot(usize, RefCell<Option<Root<Knot>>>);
    #[inline(never)]
    fn tied() -> Vec<Weak<Knot>> {
        (0..100)
            .map(|number| {
                let root = Root::new(Knot(number, RefCell::new(None)));
                *root.1.borrow_mut() = Some(root.clone());
                Gc::downgrade(Root::gc(&root))
            })
            .collect()
    }
    let _alone = alone();
    let weak = tied();
    collect();
    for (number, weak) in weak.iter().enumerate() {
        let knot = weak.upgrade().expect("as the documentation says");
        assert_eq!(knot.0, number);
        knot.1.take();
    }
    nearly_all(&weak);
}
