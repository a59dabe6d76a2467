//! Collecting: by itself, when asked, not where it is forbidden; events, release, statistics.

use crate::world::{self, Node, alone, collect};
use gleaner::{
    Gc, NoCollection, Weak,
    events::{self, Event, Step},
};
use std::{iter::from_fn, thread};

#[inline(never)]
fn garbage(count: usize) -> Vec<Weak<Node>> {
    (0..count).map(|number| Gc::downgrade(Node::new(number))).collect()
}

#[test]
fn starting_again_does_nothing() {
    let _alone = alone();
    // SAFETY: as in `alone`.
    assert_eq!((0..3).map(|_| unsafe { gleaner::start() }).collect::<Vec<_>>(), [Ok(()); 3]);
    assert!(gleaner::collect());
}

#[test]
fn collections_come_by_themselves() {
    let _alone = alone();
    let collections = || gleaner::api::stats::now().collections;
    let before = collections();
    world::until("a collection", || {
        garbage(10_000);
        collections() > before
    });
}

#[test]
fn nothing_is_collected_while_it_is_forbidden() {
    let _alone = alone();
    let outer = NoCollection::new();
    let inner = NoCollection::new();
    let weak = garbage(1000);
    let before = gleaner::api::stats::now().collections;
    world::clear_stack();
    assert!(!gleaner::collect());
    drop(outer);
    // On another thread as well, and while much is made.
    assert!(!thread::spawn(gleaner::collect).join().unwrap());
    garbage(50_000);
    assert_eq!(gleaner::api::stats::now().collections, before);
    assert_eq!(world::dead(&weak), 0);
    drop(inner);
    world::nearly_all(&weak);
}

#[test]
fn events_tell_each_step_of_a_collection_in_order() {
    let _alone = alone();
    events::keep(true);
    collect();
    garbage(1000);
    collect();
    events::keep(false);
    let kept: Vec<Event> = from_fn(events::next).collect();
    let steps: Vec<Step> = kept.iter().map(|event| event.step).collect();
    let each = &[Step::Start, Step::Stop, Step::MarkEnd, Step::SweepEnd, Step::Resume];
    assert!(steps.len() >= 10 && steps.chunks(5).all(|steps| steps == each), "{steps:?}");
    assert!(kept.windows(2).all(|pair| pair[0].time_ns <= pair[1].time_ns), "{kept:?}");
    collect();
    assert!(events::next().is_none(), "no more are kept");
}

#[test]
fn free_memory_goes_back() {
    let _alone = alone();
    drop(vec![1u8; 32 << 20]);
    let before = gleaner::api::stats::now().released_bytes_total;
    let released = gleaner::release();
    let now = gleaner::api::stats::now().released_bytes_total;
    assert!(released as u64 <= now - before, "{released} of {} bytes", now - before);
    assert!(now >= 32 << 20, "{now} bytes, some of them by themselves");
}

#[test]
fn statistics_follow_what_is_made() {
    let _alone = alone();
    let now = gleaner::api::stats::now;
    collect();
    let before = now();
    let kept: Gc<[u8]> = vec![1; 8 << 20].into();
    garbage(100_000);
    collect();
    let after = now();
    assert!(after.collections > before.collections);
    assert!(after.live_bytes_last >= before.live_bytes_last + (8 << 20), "{before:?}\n{after:?}");
    assert!(after.objects_reclaimed_total >= before.objects_reclaimed_total + 90_000, "{before:?}\n{after:?}");
    assert!(after.bytes_allocated_total >= before.bytes_allocated_total + (8 << 20), "{before:?}\n{after:?}");
    assert_eq!(kept.len(), 8 << 20);
}

#[test]
fn several_threads_that_ask_at_once() {
    let _alone = alone();
    let nodes: Vec<Gc<Node>> = (0..500).map(Node::new).collect();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    gleaner::collect();
                    garbage(100);
                }
                nodes.iter().enumerate().for_each(|(number, node)| node.is(number));
            });
        }
    });
}
