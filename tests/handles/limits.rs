//! Where memory ends: a limit, and what the system refuses.

use crate::{
    child,
    world::{self, Node, alone},
};
use gleaner::Gc;
use std::cell::Cell;

struct Link([u8; 4000], Cell<Option<Gc<Link>>>);

/// Makes a list until there is no memory: how long it is, and the link that there was no room for.
fn fill() -> (usize, Link) {
    let (mut last, mut length) = (None, 0);
    loop {
        match Gc::try_new(Link([1; 4000], Cell::new(last))) {
            Ok(next) => last = Some(next),
            Err(link) => return (length, link),
        }
        length += 1;
    }
}

#[test]
fn a_value_comes_back_when_there_is_no_memory_for_it() {
    let _alone = alone();
    gleaner::collect();
    gleaner::set_limit(gleaner::api::stats::now().bytes_heap as usize + (16 << 20));
    let (length, refused) = fill();
    gleaner::set_limit(0);
    assert!(length >= 1000, "16 MiB hold {length} links of 4 KB");
    assert_eq!(refused.0, [1; 4000], "it comes back whole");
    let links = std::iter::successors(refused.1.get(), |link| link.1.get()).count();
    assert_eq!(links, length);
    assert!(Gc::try_new([0u8; 1 << 16]).is_ok(), "without the limit there is room");
}

#[test]
fn garbage_is_taken_back_before_the_limit_ends_a_program() {
    let _alone = alone();
    gleaner::collect();
    gleaner::set_limit(gleaner::api::stats::now().bytes_heap as usize + (8 << 20));
    for number in 0..200_000 {
        Node::new(number).is(number);
    }
    gleaner::set_limit(0);
}

#[test]
fn without_memory_a_program_ends_as_it_does_by_a_box() {
    let outcome = child::run("limits::without_memory_a_program_ends_as_it_does_by_a_box", "limit=16M", || {
        let _alone = alone();
        let mut kept = Vec::new();
        loop {
            kept.push(Gc::new([1u8; 4000]));
        }
    });
    assert!(outcome.aborted() && outcome.stderr.contains("memory allocation of "), "{outcome}");
    assert!(outcome.stderr.contains(" bytes failed"), "{outcome}");
}

#[test]
fn what_the_system_refuses_now_and_then_is_asked_for_again() {
    child::succeeds("limits::what_the_system_refuses_now_and_then_is_asked_for_again", "refuse=7", || {
        let _alone = alone();
        let (mut kept, mut refused) = (Vec::with_capacity(20_000), 0);
        for number in 0..20_000 {
            match Gc::try_new(Node::with(number)) {
                Ok(node) => kept.push(node),
                Err(node) => {
                    node.is(number);
                    refused += 1;
                }
            }
            if number % 2000 == 0 {
                gleaner::collect();
            }
        }
        assert!(refused < 10_000);
        kept.iter().for_each(|node| node.is(node.number));
        world::clear_stack();
    });
}

#[test]
fn an_address_space_that_is_too_small_is_an_error_of_start() {
    let outcome = child::run("limits::an_address_space_that_is_too_small_is_an_error_of_start", "", || {
        let limit = libc::rlimit { rlim_cur: 64 << 20, rlim_max: 64 << 20 };
        // SAFETY: a limit of this process.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0);
        // SAFETY: as in `alone`.
        match unsafe { gleaner::start() } {
            Ok(()) => assert!(gleaner::collect() || Gc::try_new(1).is_ok()),
            Err(error) => assert!(error.to_string().contains("raise `ulimit -v`")),
        }
        // Still an allocator.
        assert_eq!(vec![1u8; 1000].len(), 1000);
    });
    assert!(outcome.succeeded(), "{outcome}");
}
