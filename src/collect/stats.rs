//! What has happened so far, in numbers.

use crate::{
    base::sync::{AtomicU64, Ordering},
    heap::{
        cage::{self, CAGE},
        mutator, pressure,
        sweep::Swept,
    },
    os::mem,
};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        /// Counters of the engine, each a word of its own.
        pub struct Counters {
            $($(#[$doc])* pub $name: AtomicU64,)*
        }
        /// The counters.
        pub static COUNTERS: Counters = Counters { $($name: AtomicU64::new(0),)* };
    };
}

counters! {
    /// Collections finished.
    collections;
    /// Bytes that collections took back.
    reclaimed_bytes;
    /// Objects that collections took back.
    reclaimed_objects;
    /// Nanoseconds that the world was stopped, in all.
    pause_total_ns;
    /// The longest of them.
    pause_longest_ns;
    /// The last of them.
    pause_last_ns;
    /// The marking part of the last.
    mark_last_ns;
    /// The sweeping part of the last.
    sweep_last_ns;
    /// Bytes in slots that the last collection kept.
    live_bytes_last;
    /// Objects that the last collection kept.
    live_objects_last;
    /// Collections given up: a thread did not stop, or the roots could not be read.
    stops_abandoned;
    /// Allocations that ended without memory.
    oom_events;
    /// Frees of a signal handler inside a slow path, which were dropped.
    frees_dropped;
    /// Bytes read as roots by the last collection.
    root_bytes_last;
    /// How often the mark stack was full.
    mark_overflows;
}

impl Counters {
    /// Adds to a counter.
    pub fn add(counter: &AtomicU64, value: u64) {
        counter.fetch_add(value, Ordering::Relaxed);
    }

    /// Notes a collection.
    pub fn note(&self, swept: &Swept, pause_ns: u64, mark_ns: u64, sweep_ns: u64) {
        Self::add(&self.collections, 1);
        Self::add(&self.reclaimed_bytes, swept.reclaimed_bytes);
        Self::add(&self.reclaimed_objects, swept.reclaimed_objects);
        Self::add(&self.pause_total_ns, pause_ns);
        self.pause_longest_ns.fetch_max(pause_ns, Ordering::Relaxed);
        self.pause_last_ns.store(pause_ns, Ordering::Relaxed);
        self.mark_last_ns.store(mark_ns, Ordering::Relaxed);
        self.sweep_last_ns.store(sweep_ns, Ordering::Relaxed);
        self.live_bytes_last.store(swept.live_bytes, Ordering::Relaxed);
        self.live_objects_last.store(swept.live_objects, Ordering::Relaxed);
    }
}

/// The sizes of things now.
#[derive(Clone, Copy, Default, Debug)]
pub struct Sizes {
    /// Bytes in units that are taken.
    pub heap_bytes: u64,
    /// Bytes of the cage that are committed.
    pub committed_bytes: u64,
    /// Bytes of side arrays, records, tables and stacks of ours.
    pub metadata_bytes: u64,
    /// Bytes handed out, in all.
    pub allocated_bytes: u64,
    /// Bytes freed by hand, in all.
    pub freed_bytes: u64,
    /// Bytes given back to the system, in all.
    pub released_bytes: u64,
    /// Threads with a record.
    pub threads: u64,
    /// The limit, or zero.
    pub limit_bytes: u64,
}

/// The sizes of things now. The caller is inside its gate.
pub fn sizes() -> Sizes {
    let (committed_bytes, side_bytes) = cage::committed_bytes();
    let (heap_bytes, released_bytes) =
        CAGE.lock().as_ref().map_or((0, 0), |cage| (cage.used_bytes(), cage.released_bytes()));
    let sum =
        |of: fn(&mutator::Mutator) -> &AtomicU64| mutator::all().map(|record| of(record).load(Ordering::Relaxed)).sum();
    Sizes {
        heap_bytes: heap_bytes as u64,
        committed_bytes: committed_bytes as u64,
        metadata_bytes: (side_bytes + mem::mapped_bytes()) as u64,
        allocated_bytes: sum(|record| &record.allocated_bytes),
        freed_bytes: sum(|record| &record.freed_bytes),
        released_bytes,
        threads: mutator::count_alive() as u64,
        limit_bytes: if pressure::limit_bytes() == usize::MAX { 0 } else { pressure::limit_bytes() as u64 },
    }
}
