//! Handles that go from thread to thread.

use crate::world::{self, Node, alone, collect};
use gleaner::{Gc, Weak};
use std::{
    sync::{
        Arc, Barrier, Condvar, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

#[test]
fn the_closure_of_a_thread() {
    let _alone = alone();
    let threads: Vec<_> = (0..50)
        .map(|number| {
            let node = Node::new(number);
            let boxed = Box::new(Node::new(number + 1));
            thread::spawn(move || {
                node.is(number);
                boxed.is(number + 1);
            })
        })
        .inspect(|_| collect())
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("its values are whole"));
}

#[test]
fn the_result_of_a_thread_that_has_ended() {
    let _alone = alone();
    let has_ended = |thread: &thread::JoinHandle<_>| world::until("the thread's end", || thread.is_finished());
    let make = |number| (Node::new(number), (0..20).map(Node::new).collect::<Vec<_>>());
    let threads: Vec<_> = (0..50).map(|number| thread::spawn(move || make(number))).collect();
    threads.iter().for_each(has_ended);
    collect();
    collect();
    for (number, thread) in threads.into_iter().enumerate() {
        let (node, others) = thread.join().expect("it made its values");
        node.is(number);
        others.iter().enumerate().for_each(|(number, other)| other.is(number));
    }
}

#[test]
fn a_handle_sent_to_a_thread_that_ends_without_taking_it() {
    #[inline(never)]
    fn sent() -> Vec<Weak<Node>> {
        (0..100)
            .map(|number| {
                let node = Node::new(number);
                let (sender, receiver) = mpsc::channel::<Gc<Node>>();
                let begun = Arc::new(Barrier::new(2));
                let thread = thread::spawn({
                    let begun = begun.clone();
                    move || {
                        begun.wait();
                        drop(receiver);
                    }
                });
                begun.wait();
                // The receiver may be gone: then the handle comes back in the error.
                if let Err(mpsc::SendError(back)) = sender.send(node) {
                    back.is(number);
                }
                thread.join().expect("it does nothing");
                Gc::downgrade(node)
            })
            .collect()
    }
    let _alone = alone();
    let weak = sent();
    world::nearly_all(&weak);
}

#[test]
fn channels() {
    let _alone = alone();
    let (unbounded, bounded) = (mpsc::channel(), mpsc::sync_channel(7));
    thread::scope(|scope| {
        scope.spawn(move || (0..10_000).for_each(|number| unbounded.0.send(Box::new(Node::new(number))).unwrap()));
        scope.spawn(move || unbounded.1.iter().for_each(|node| bounded.0.send(node).unwrap()));
        scope.spawn(move || bounded.1.iter().enumerate().for_each(|(number, node)| node.is(number)));
        (0..20).for_each(|_| collect());
    });
}

#[test]
fn what_waits_in_a_channel_whose_sender_has_ended() {
    let _alone = alone();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || (0..500).for_each(|number| sender.send(Node::new(number)).unwrap())).join().unwrap();
    collect();
    collect();
    assert_eq!(receiver.iter().enumerate().inspect(|(number, node)| node.is(*number)).count(), 500);
}

#[test]
fn threads_that_borrow() {
    let _alone = alone();
    let nodes: Vec<Gc<Node>> = (0..400).map(Node::new).collect();
    let sums = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for part in nodes.chunks(100) {
            let sums = &sums;
            scope.spawn(move || {
                collect();
                let sum: usize = part.iter().map(|node| node.number).sum();
                sums.lock().unwrap().push(Gc::new(sum));
            });
        }
    });
    collect();
    assert_eq!(sums.lock().unwrap().iter().map(|sum| **sum).sum::<usize>(), (0..400).sum());
    nodes.iter().enumerate().for_each(|(number, node)| node.is(number));
}

#[test]
fn a_hand_over_under_a_lock() {
    let _alone = alone();
    let place = (Mutex::new(None::<Gc<Node>>), Condvar::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..5000 {
                let mut full = place.1.wait_while(place.0.lock().unwrap(), |node| node.is_none()).unwrap();
                full.take().unwrap().is(number);
                place.1.notify_all();
            }
        });
        for number in 0..5000 {
            let mut empty = place.1.wait_while(place.0.lock().unwrap(), |node| node.is_some()).unwrap();
            *empty = Some(Node::new(number));
            drop(empty);
            place.1.notify_all();
            if number % 500 == 0 {
                collect();
            }
        }
    });
}

#[test]
fn many_threads_that_come_and_go_while_others_collect() {
    let _alone = alone();
    let is_over = AtomicBool::new(false);
    let made = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                gleaner::collect();
            }
        });
        let mut last: Vec<Gc<Node>> = Vec::new();
        for wave in 0..10 {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    let before = last.clone();
                    scope.spawn(|| {
                        before.iter().for_each(|node| node.is(node.number));
                        drop(before);
                        made.fetch_add(100, Ordering::Relaxed);
                        (0..100).map(Node::new).collect::<Vec<_>>()
                    })
                })
                .collect();
            last = threads.into_iter().flat_map(|thread| thread.join().expect("its values are whole")).collect();
            assert_eq!(last.len(), 400, "wave {wave}");
            last.iter().enumerate().for_each(|(index, node)| node.is(index % 100));
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert_eq!(made.into_inner(), 10 * 4 * 100);
}
