//! Statistics, as one structure that every door reports.

use crate::{
    base::sync::Ordering,
    collect::{
        allocate,
        stats::{COUNTERS, sizes},
    },
    heap::{gate, mutator},
};

macro_rules! stats {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        /// What has happened and what there is, in numbers. The layout is `struct gc_stats` of `gleaner.h` without its
        /// first two members.
        #[derive(Clone, Copy, Default, Debug)]
        #[repr(C)]
        pub struct Stats {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Stats {
            /// Visits each figure with its name.
            pub fn for_each(&self, mut visit: impl FnMut(&'static str, u64)) {
                $(visit(stringify!($name), self.$name);)*
            }
        }
    };
}

stats! {
    /// Collections finished.
    collections;
    /// Bytes in slots in use, as far as threads have reported.
    bytes_in_use;
    /// Bytes in units that the heap has taken.
    bytes_heap;
    /// Bytes of the heap's address range that may be used.
    bytes_committed;
    /// Bytes of the collector's own tables.
    bytes_metadata;
    /// Bytes handed out, in all.
    bytes_allocated_total;
    /// Bytes freed by hand, in all.
    bytes_freed_total;
    /// Bytes taken back by collections, in all.
    bytes_reclaimed_total;
    /// Objects taken back by collections, in all.
    objects_reclaimed_total;
    /// Nanoseconds that the world was stopped, in all.
    pause_total_ns;
    /// The longest pause.
    pause_longest_ns;
    /// The last pause.
    pause_last_ns;
    /// The marking part of the last.
    mark_last_ns;
    /// The sweeping part of the last.
    sweep_last_ns;
    /// Bytes that the last collection kept.
    live_bytes_last;
    /// Objects that the last collection kept.
    live_objects_last;
    /// Threads that use the heap.
    threads;
    /// Collections given up: a thread did not stop, or the roots could not be read.
    stops_abandoned;
    /// Finalizers that wait to run.
    finalizers_pending;
    /// Finalizers run.
    finalizers_run;
    /// Ordered finalizers that wait on a cycle, as of the last collection.
    finalizer_cycles;
    /// Weak cells cleared.
    weak_cleared;
    /// Bytes given back to the system, in all.
    released_bytes_total;
    /// Allocations that ended without memory.
    oom_events;
    /// The heap's limit, or zero.
    bytes_limit;
}

/// The figures now.
pub fn now() -> Stats {
    let tables = allocate::with_tables(|tables| {
        (tables.finalizers.pending() as u64, tables.finalizers.run, tables.finalizers.on_cycles, tables.weak_cleared)
    });
    let (finalizers_pending, finalizers_run, finalizer_cycles, weak_cleared) = tables.unwrap_or_default();
    let sizes = match mutator::register().and_then(gate::enter) {
        Some(_inside) => sizes(),
        None => Default::default(),
    };
    let get = |counter: &crate::base::sync::AtomicU64| counter.load(Ordering::Relaxed);
    Stats {
        collections: get(&COUNTERS.collections),
        bytes_in_use: allocate::bytes_in_use(),
        bytes_heap: sizes.heap_bytes,
        bytes_committed: sizes.committed_bytes,
        bytes_metadata: sizes.metadata_bytes,
        bytes_allocated_total: sizes.allocated_bytes,
        bytes_freed_total: sizes.freed_bytes,
        bytes_reclaimed_total: get(&COUNTERS.reclaimed_bytes),
        objects_reclaimed_total: get(&COUNTERS.reclaimed_objects),
        pause_total_ns: get(&COUNTERS.pause_total_ns),
        pause_longest_ns: get(&COUNTERS.pause_longest_ns),
        pause_last_ns: get(&COUNTERS.pause_last_ns),
        mark_last_ns: get(&COUNTERS.mark_last_ns),
        sweep_last_ns: get(&COUNTERS.sweep_last_ns),
        live_bytes_last: get(&COUNTERS.live_bytes_last),
        live_objects_last: get(&COUNTERS.live_objects_last),
        threads: sizes.threads,
        stops_abandoned: get(&COUNTERS.stops_abandoned),
        finalizers_pending,
        finalizers_run,
        finalizer_cycles,
        weak_cleared,
        released_bytes_total: sizes.released_bytes,
        oom_events: get(&COUNTERS.oom_events),
        bytes_limit: sizes.limit_bytes,
    }
}

/// Writes the figures as the members of a JSON object, without its braces.
pub fn write_json_members(stats: &Stats, out: &mut dyn core::fmt::Write) -> core::fmt::Result {
    let mut result = Ok(());
    let mut separator = "";
    stats.for_each(|name, value| {
        let next = write!(out, "{separator}\"{name}\":{value}");
        result = result.and(next);
        separator = ",";
    });
    result
}
