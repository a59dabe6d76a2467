//! The whole process: options of the environment, forks.

use crate::{
    child,
    world::{self, Node, alone, collect},
};
use gleaner::{Gc, Root, WeakMap};
use std::{cell::Cell, thread};

/// What a program does with handles, in small.
fn work() {
    let _alone = alone();
    let roots: Vec<Root<Node>> = (0..50).map(|number| Root::new(Node::with(number))).collect();
    let mut map = WeakMap::new();
    let mut list = None::<Gc<(Node, Cell<Option<Gc<Node>>>)>>;
    let mut boxes = Vec::new();
    for number in 0..600 {
        let next = Gc::new((Node::with(number), Cell::new(list.map(|last| Node::new(last.0.number)))));
        map.insert(next, Node::new(number));
        list = Some(next);
        boxes.push(Box::new(next));
        if number % 100 == 99 {
            boxes.drain(..50);
        }
    }
    for kept in &boxes {
        kept.0.is(kept.0.number);
        kept.1.get().inspect(|other| other.is(kept.0.number - 1));
        map.get(**kept).expect("its key is kept").is(kept.0.number);
    }
    roots.iter().enumerate().for_each(|(number, root)| root.is(number));
    world::nearly_all(&(0..100).map(|number| Gc::downgrade(Node::new(number))).collect::<Vec<_>>()[..90]);
}

/// One test for each setting of the options.
macro_rules! with_options {
    ($($name:ident $options:literal;)*) => {$(
        #[test]
        fn $name() {
            child::succeeds(concat!("process::", stringify!($name)), $options, work);
        }
    )*};
}

with_options! {
    as_it_is "";
    under_zeal "zeal=100:poison=1";
    under_zeal_and_judged "zeal=200:poison=1:verify=1:recheck=1";
    with_several_markers "markers=3:mark_stack=64:recheck=1:floor=64K";
    without_vector_instructions "vector=0:recheck=1:floor=64K";
    where_frees_are_checked "free=checked:verify=1:floor=64K";
    in_quarantine "free=quarantine:verify=1:recheck=1";
    where_frees_are_ignored "free=ignore:floor=64K";
}

#[test]
fn options_are_read_before_the_first_value_and_unknown_ones_are_named() {
    let name = "process::options_are_read_before_the_first_value_and_unknown_ones_are_named";
    let outcome = child::run(name, "limit=100M:zeel=3", || {
        let _alone = alone();
        assert_eq!(gleaner::api::stats::now().bytes_limit, 100 << 20);
    });
    assert!(outcome.succeeded(), "{outcome}");
    let told = "gleaner: GLEANER_OPTIONS: no option is called 'zeel'; did you mean 'zeal'? (help lists them)\n";
    assert!(outcome.stderr.contains(told), "{outcome}");
}

#[test]
fn a_signal_that_is_taken_is_an_error_of_start() {
    let outcome = child::run("process::a_signal_that_is_taken_is_an_error_of_start", "signal=9", || {
        // SAFETY: as in `alone`.
        let error = unsafe { gleaner::start() }.expect_err("nobody can catch signal 9");
        println!("{error}");
        assert!(!gleaner::collect());
        Node::new(1).is(1);
    });
    assert!(outcome.succeeded() && outcome.stdout.contains("gleaner: start: the system has refused"), "{outcome}");
}

/// Forks, has the child do `work`, and expects that it ends well.
fn in_a_fork(work: impl FnOnce()) {
    // SAFETY: the child uses this thread only.
    match unsafe { libc::fork() } {
        -1 => panic!("the system has no room for a process"),
        0 => {
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            // SAFETY: ends the child without what the parent has to do at its end.
            unsafe { libc::_exit(i32::from(result.is_err())) }
        }
        child => {
            let mut status = 0;
            // SAFETY: waits for the child of this test.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            assert_eq!(status, 0, "the child ends well");
        }
    }
}

#[test]
fn a_forked_process_collects_on_its_own() {
    child::succeeds("process::a_forked_process_collects_on_its_own", "verify=1", || {
        let _alone = alone();
        let nodes: Vec<Gc<Node>> = (0..500).map(Node::new).collect();
        let roots: Vec<Root<Node>> = (0..500).map(|number| Root::new(Node::with(number))).collect();
        let look = || {
            collect();
            nodes.iter().enumerate().for_each(|(number, node)| node.is(number));
            roots.iter().enumerate().for_each(|(number, root)| root.is(number));
            world::nearly_all(&(0..200).map(|number| Gc::downgrade(Node::new(number))).collect::<Vec<_>>()[..190]);
        };
        thread::scope(|scope| {
            let other = scope.spawn(|| (0..20).for_each(|_| collect()));
            for _ in 0..20 {
                in_a_fork(look);
            }
            other.join().expect("it only collects");
        });
        look();
        in_a_fork(|| in_a_fork(look));
    });
}
