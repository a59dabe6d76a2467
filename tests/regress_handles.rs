//! Defects that the handles once had: each test fails on the engine that had it.

use gleaner::{Ephemeron, Gc, Weak, WeakMap};

#[global_allocator]
static HEAP: gleaner::Gleaner = gleaner::Gleaner;

const COUNT: u64 = 1000;

type Node = [u64; 6];

fn start() {
    // SAFETY: nothing here hides an address.
    unsafe { gleaner::start().unwrap() };
}

/// A handle to a part of a new object, which nobody has a handle to.
fn part(number: u64) -> Gc<u64> {
    Gc::map(Gc::new([0, 0, number, 0, 0, 0]), |node| &node[2])
}

/// Collects, and has the places of what was reclaimed taken by others.
fn collect_and_reuse() -> Vec<Gc<Node>> {
    gleaner::collect();
    (0..10 * COUNT).map(|_| Gc::new([u64::MAX; 6])).collect()
}

#[inline(never)]
fn weak_parts() -> Vec<Weak<u64>> {
    (0..COUNT).map(|number| Gc::downgrade(part(number))).collect()
}

#[test]
fn a_weak_handle_to_a_part_ends_with_its_object() {
    start();
    let weak = weak_parts();
    let _others = collect_and_reuse();
    let found: Vec<(u64, u64)> = (0..).zip(&weak).filter_map(|(at, weak)| Some((at, *weak.upgrade()?))).collect();
    assert!(found.iter().all(|(at, number)| at == number), "{found:?}");
    // A stale word may keep one or the other.
    assert!(found.len() < 100, "{} of {COUNT} have stayed", found.len());
}

#[inline(never)]
fn pairs_of_parts() -> (Vec<Ephemeron<u64, u64>>, WeakMap<u64, u64>) {
    let pairs = (0..COUNT).map(|number| Ephemeron::new(part(number), Gc::new(number))).collect();
    (pairs, (0..COUNT).map(|number| (part(number), number)).collect())
}

#[test]
fn an_ephemeron_of_a_part_ends_with_its_object() {
    start();
    let (pairs, map) = pairs_of_parts();
    let _others = collect_and_reuse();
    let found: Vec<_> = pairs.iter().filter_map(|pair| pair.key().zip(pair.value())).chain(map.iter()).collect();
    assert!(found.iter().all(|(key, value)| key == value), "{found:?}");
    assert!(found.len() < 200, "{} of {} have stayed", found.len(), 2 * COUNT);
}

#[test]
fn a_weak_handle_to_a_part_finds_it_while_the_object_is_kept() {
    start();
    let nodes: Vec<Gc<Node>> = (0..COUNT).map(|number| Gc::new([number; 6])).collect();
    let weak: Vec<Weak<[u64]>> = nodes.iter().map(|&node| Gc::downgrade(Gc::map(node, |node| &node[2..4]))).collect();
    let _others = collect_and_reuse();
    for (node, weak) in nodes.iter().zip(&weak) {
        assert_eq!(weak.upgrade().as_deref(), Some(&node[2..4]));
    }
}

#[test]
fn threads_that_start_together_all_find_it_started() {
    let threads: Vec<_> = (0..16).map(|_| std::thread::spawn(start)).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}
