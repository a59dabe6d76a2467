//! A panic in the middle of building something leaves nothing broken, and what it leaves behind comes back.

use crate::world::{self, Node, alone, collect};
use gleaner::{Gc, Weak};
use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

/// Ends the closure by a panic that prints nothing.
fn interrupted<R>(work: impl FnOnce() -> R) {
    assert!(catch_unwind(AssertUnwindSafe(work)).is_err(), "it has panicked");
}

fn give_up() -> ! {
    resume_unwind(Box::new("in the middle"))
}

#[test]
fn in_an_argument() {
    let _alone = alone();
    for number in 0..1000 {
        interrupted(|| Gc::new((Node::new(number), if number % 2 < 2 { give_up() } else { 0 })));
    }
    collect();
}

#[test]
fn in_the_elements_of_a_slice() {
    #[derive(Debug)]
    struct Fragile(Gc<Node>);
    impl Clone for Fragile {
        fn clone(&self) -> Self {
            if self.0.number == 70 { give_up() } else { Fragile(self.0) }
        }
    }
    let _alone = alone();
    let values: Vec<Fragile> = (0..100).map(|number| Fragile(Node::new(number))).collect();
    for _ in 0..100 {
        interrupted(|| Gc::<[Fragile]>::from(&values[..]));
        interrupted(|| Gc::slice_from_fn(100, |index| values[index].clone()));
        interrupted(|| values.iter().cloned().collect::<Gc<[Fragile]>>());
    }
    collect();
    values.iter().enumerate().for_each(|(number, value)| value.0.is(number));
    assert_eq!(Gc::<[Fragile]>::from(&values[..70]).len(), 70);
}

#[test]
fn in_the_middle_of_a_graph() {
    struct Link(Gc<Node>, RefCell<Option<Gc<Link>>>);
    #[inline(never)]
    fn torn() -> (Gc<Link>, Vec<Weak<Node>>) {
        let first = Gc::new(Link(Node::new(0), RefCell::new(None)));
        let mut weak = Vec::new();
        interrupted(|| {
            let mut last = first;
            for number in 1..200 {
                let next = Gc::new(Link(Node::new(number), RefCell::new(None)));
                // The second half never gets to the list.
                if number <= 100 {
                    *last.1.borrow_mut() = Some(next);
                    last = next;
                } else {
                    weak.push(Gc::downgrade(next.0));
                }
            }
            give_up()
        });
        (first, weak)
    }
    let _alone = alone();
    let (first, weak) = torn();
    collect();
    let mut here = Some(first);
    for number in 0..=100 {
        let link = here.expect("the list's first half");
        link.0.is(number);
        here = *link.1.borrow();
    }
    assert!(here.is_none());
    world::nearly_all(&weak);
}

#[test]
fn while_a_cell_is_borrowed() {
    let _alone = alone();
    let cell = Gc::new(RefCell::new(vec![Node::new(1)]));
    interrupted(|| {
        let mut list = cell.borrow_mut();
        list.push(Node::new(2));
        give_up()
    });
    collect();
    cell.borrow().iter().enumerate().for_each(|(index, node)| node.is(index + 1));
}

#[test]
fn in_a_thread() {
    let _alone = alone();
    for number in 0..50 {
        let node = Node::new(number);
        let thread = std::thread::spawn(move || {
            let _list: Vec<Gc<Node>> = (0..10).map(Node::new).collect();
            resume_unwind(Box::new(node))
        });
        collect();
        // What the thread has panicked with is in the error.
        thread.join().expect_err("it has panicked").downcast::<Gc<Node>>().expect("a handle").is(number);
    }
}
