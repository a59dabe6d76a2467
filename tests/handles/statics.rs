//! Statics and thread-locals are searched; thread-locals until their thread is really gone.

use crate::{
    child,
    world::{self, Node, alone, collect},
};
use gleaner::{Gc, Weak};
use std::{
    cell::{Cell, RefCell},
    sync::{
        LazyLock, Mutex, OnceLock,
        atomic::{AtomicPtr, Ordering},
    },
    thread,
};

#[test]
fn a_static_behind_a_lock() {
    static PLACE: Mutex<Vec<Gc<Node>>> = Mutex::new(Vec::new());
    let _alone = alone();
    PLACE.lock().unwrap().extend((0..100).map(Node::new));
    collect();
    PLACE.lock().unwrap().iter().enumerate().for_each(|(number, node)| node.is(number));
    let weak: Vec<Weak<Node>> = std::mem::take(&mut *PLACE.lock().unwrap()).into_iter().map(Gc::downgrade).collect();
    world::nearly_all(&weak);
}

#[test]
fn statics_that_are_written_once() {
    static ONCE: OnceLock<Gc<Node>> = OnceLock::new();
    static LAZY: LazyLock<Gc<[Gc<Node>]>> = LazyLock::new(|| (0..9).map(Node::new).collect());
    let _alone = alone();
    ONCE.get_or_init(|| Node::new(5));
    assert_eq!(LAZY.len(), 9);
    collect();
    collect();
    ONCE.get().unwrap().is(5);
    LAZY.iter().enumerate().for_each(|(number, node)| node.is(number));
}

#[test]
fn a_static_address() {
    static PLACE: AtomicPtr<Node> = AtomicPtr::new(std::ptr::null_mut());
    let _alone = alone();
    PLACE.store(Gc::as_ptr(Node::new(3)).cast_mut(), Ordering::Release);
    collect();
    // SAFETY: it has been in a static, which is searched.
    unsafe { Gc::from_ptr(PLACE.load(Ordering::Acquire)) }.is(3);
}

thread_local! {
    static CELL: Cell<Option<Gc<Node>>> = const { Cell::new(None) };
    static LIST: RefCell<Vec<Gc<Node>>> = const { RefCell::new(Vec::new()) };
}

#[test]
fn thread_locals_of_several_threads() {
    let _alone = alone();
    let use_them = |number: usize| {
        CELL.set(Some(Node::new(number)));
        LIST.with_borrow_mut(|list| list.extend((0..10).map(|index| Node::new(number + index))));
        for _ in 0..5 {
            collect();
            CELL.get().unwrap().is(number);
            LIST.with_borrow(|list| list.iter().enumerate().for_each(|(index, node)| node.is(number + index)));
        }
    };
    thread::scope(|scope| {
        for number in 0..4 {
            scope.spawn(move || use_them(number * 100));
        }
    });
}

/// Looks at its values, after a collection, when its thread ends.
struct AtTheEnd(Vec<Gc<Node>>);

static LOOKED: Mutex<usize> = Mutex::new(0);

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        collect();
        self.0.iter().enumerate().for_each(|(number, node)| node.is(number));
        // New values may be made here as well.
        Node::new(1).is(1);
        *LOOKED.lock().unwrap() += self.0.len();
    }
}

#[test]
fn the_destructor_of_a_thread_local() {
    thread_local!(static LAST: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) });
    let _alone = alone();
    let before = *LOOKED.lock().unwrap();
    for _ in 0..20 {
        let thread = thread::spawn(|| LAST.set(Some(AtTheEnd((0..50).map(Node::new).collect()))));
        thread.join().expect("its values are whole");
    }
    assert_eq!(*LOOKED.lock().unwrap() - before, 20 * 50);
}

static LEFT: Mutex<Vec<Gc<Node>>> = Mutex::new(Vec::new());

extern "C" fn after_main() {
    collect();
    LEFT.lock().unwrap().iter().enumerate().for_each(|(number, node)| node.is(number));
    Node::new(1).is(1);
    println!("after main: {} values are whole", LEFT.lock().unwrap().len());
}

#[test]
fn a_handler_that_runs_after_main() {
    let outcome = child::run("statics::a_handler_that_runs_after_main", "", || {
        let _alone = alone();
        *LEFT.lock().unwrap() = (0..100).map(Node::new).collect();
        // SAFETY: the handler is a function of this program.
        assert_eq!(unsafe { libc::atexit(after_main) }, 0);
    });
    assert!(outcome.succeeded() && outcome.stdout.contains("after main: 100 values are whole"), "{outcome}");
}
