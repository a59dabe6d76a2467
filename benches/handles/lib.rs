//! Handles beside others: the same work on `Gc`, on `Rc` and `Arc`, and on the collectors of other crates.
//!
//! | workload | what it does | peers |
//! |---|---|---|
//! | [`churn`] | values made and dropped: at once, or when their turn in a table comes | all |
//! | [`trees`] | trees made, counted, dropped, with or without a large one beside them | all |
//! | [`lists`] | circular lists, linked both ways, made, walked, dropped | all |
//! | [`graph`] | a graph whose edges and nodes change at random: cycles come and go | all |
//! | [`map`] | a map that two threads read and write | what can be shared |
//! | [`stack`] | a lock-free stack that two threads push to and pop from | `Gc`, `crossbeam-epoch` |
//!
//! Each is written once for all handles that are made by `new` and followed by `*`: a macro takes their types from
//! [`families`]. `gc-arena` has its own, because its handles live in a closure's lifetime; it collects between two closures.
//!
//! Each gives a sum over what it has seen, which is the same for all. What is still alive in the end is handed to the
//! caller, so that nobody is timed dropping it.
//!
//! `Rc` and `Arc` do not find cycles. In [`lists`] they are told to take each list apart, as their users have to; in
//! [`graph`] they leak, and what they take is no match for anything.

#![allow(clippy::clone_on_copy, reason = "some handles are Copy, and the code is written once for all")]
#![allow(non_local_definitions, reason = "the derive macros of the crate gc write their impls so")]

pub mod bench;
pub mod churn;
pub mod families;
pub mod graph;
pub mod lists;
pub mod map;
pub mod once;
pub mod stack;
pub mod trees;

use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering};

/// How much a workload does.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    /// What is alive all the time: values, nodes, keys, or the depth of a tree. Zero: nothing.
    pub live: usize,
    /// How often something happens.
    pub steps: usize,
}

/// What came of it.
pub struct Outcome {
    /// A sum over what was seen: the same for every kind of handle.
    pub sum: u64,
    /// What is still alive.
    pub kept: Box<dyn Any>,
}

impl Outcome {
    fn new(sum: u64, kept: impl Any) -> Outcome {
        Outcome { sum, kept: Box::new(kept) }
    }
}

/// A workload of one kind of handle.
pub type Run = fn(Work) -> Outcome;

/// A workload of a size.
pub struct Workload {
    /// Its name.
    pub name: &'static str,
    /// How much it does when it is run once.
    pub work: Work,
    /// How much it does in one iteration of criterion's.
    pub bench: Work,
    /// Handles by their names.
    pub peers: &'static [(&'static str, Run)],
}

const fn work(live: usize, steps: usize) -> Work {
    Work { live, steps }
}

/// All of them.
pub const WORKLOADS: [Workload; 11] = [
    Workload { name: "drop", work: work(0, 10_000_000), bench: work(0, 100_000), peers: churn::PEERS },
    Workload { name: "turnover-1k", work: work(1_000, 10_000_000), bench: work(1_000, 100_000), peers: churn::PEERS },
    Workload {
        name: "turnover-1M",
        work: work(1_000_000, 10_000_000),
        bench: work(30_000, 100_000),
        peers: churn::PEERS,
    },
    Workload { name: "trees", work: work(0, 10_000), bench: work(0, 100), peers: trees::PEERS },
    Workload { name: "trees-1M", work: work(19, 20_000), bench: work(14, 100), peers: trees::PEERS },
    Workload { name: "lists-1k", work: work(1_000, 100_000), bench: work(1_000, 1_000), peers: lists::PEERS },
    Workload { name: "lists-1M", work: work(1_000_000, 60_000), bench: work(30_000, 1_000), peers: lists::PEERS },
    Workload { name: "graph-1k", work: work(1_000, 1_000_000), bench: work(1_000, 10_000), peers: graph::PEERS },
    Workload { name: "graph-1M", work: work(1_000_000, 200_000), bench: work(30_000, 10_000), peers: graph::PEERS },
    Workload { name: "map", work: work(100_000, 5_000_000), bench: work(10_000, 50_000), peers: map::PEERS },
    Workload { name: "stack", work: work(1_000, 5_000_000), bench: work(1_000, 50_000), peers: stack::PEERS },
];

/// What collectors other than gleaner have done, as far as they can be watched.
static COLLECTIONS: AtomicU64 = AtomicU64::new(0);

fn note_collection() {
    // Relaxed: a figure that stands for itself.
    COLLECTIONS.fetch_add(1, Ordering::Relaxed);
}

/// Collections of whatever collector has run in this process.
pub fn collections() -> u64 {
    COLLECTIONS.load(Ordering::Relaxed) + gleaner::api::stats::now().collections
}

/// A pseudorandom sequence: every state begins another one.
pub struct Random(pub u64);

impl Random {
    /// A number below `bound`.
    #[inline]
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
        ((u128::from(mixed ^ mixed >> 32) * bound as u128) >> 64) as usize
    }
}
