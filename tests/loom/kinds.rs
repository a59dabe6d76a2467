//! Kinds: threads that make some at once each get one of their own, with their procedure.

use super::{Model, check, join, start};
use gleaner::heap::kind::{self, Design, FIXED_KINDS as FIRST, Kind};

fn two_threads() {
    assert!(Kind::made(FIRST).is_none());
    join([1, 2].map(|tid| {
        start(tid, move || {
            let kind = kind::make(Design::of_trace(tid as usize)).expect("a kind is left");
            assert_eq!(kind.trace_procedure(), tid as usize, "the kind has the other thread's procedure");
        })
    }));
    let mut procedures = [FIRST, FIRST + 1].map(|number| Kind::made(number).expect("two were made").trace_procedure());
    procedures.sort();
    assert_eq!(procedures, [1, 2], "each kind has one thread's procedure");
}

#[test]
fn threads_that_make_kinds_at_once_get_one_each() {
    check(&[Model::new("two threads make a kind each", two_threads)], &["src/heap/kind.rs"], &[], &[]);
}
