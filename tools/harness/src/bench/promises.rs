//! What is promised of speed and memory, as one table: on which workload, whose figure, beside whom, and the most that it
//! may be. `judge` decides whether a promise holds.

use super::allocators::Allocator::{self, *};
use super::workloads::{self, MALLOCS, Part, WORKLOADS, Workload};

use Beside::{Best, Fastest, Itself, Peer};
use Goal::{AtLeast, AtMost, Below};
use What::{Collections, Memory, Own, Time};

/// One promise.
pub struct Promise {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it says, in a sentence.
    pub says: &'static str,
    /// What has to hold, each on its own.
    pub clauses: &'static [Clause],
}

/// One thing that has to hold.
#[derive(Clone, Copy)]
pub struct Clause {
    /// On each of these workloads.
    pub on: On,
    /// Or on the geometric mean over all of them.
    pub is_mean: bool,
    /// Whose figure.
    pub ours: Allocator,
    /// Which figure.
    pub what: What,
    /// By whose: a ratio is judged, except beside nobody.
    pub beside: Beside,
    /// What it may be.
    pub goal: Goal,
}

/// Workloads of a clause.
#[derive(Clone, Copy)]
pub enum On {
    /// These.
    Each(&'static [&'static str]),
    /// All that time malloc and free.
    EveryMalloc,
}

/// A figure to be judged.
#[derive(Clone, Copy)]
pub enum What {
    /// The workload's own, if it is a time, else the time of an operation.
    Time,
    /// The peak of the resident set.
    Memory,
    /// The number of collections, the least of all rounds.
    Collections,
    /// Another figure of the line: its key, what it is multiplied by, its unit then.
    Own(&'static str, f64, &'static str),
}

/// Whose figure ours is divided by.
#[derive(Clone, Copy)]
pub enum Beside {
    /// Nobody's: the figure itself is judged.
    Itself,
    /// This one's.
    Peer(Allocator),
    /// That of the peer for which the same figure is least.
    Best(&'static [Allocator]),
    /// That of the peer which takes the least time.
    Fastest(&'static [Allocator]),
}

/// What a figure or a ratio may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// No more.
    AtMost(f64),
    /// Less.
    Below(f64),
    /// No less.
    AtLeast(f64),
}

/// As good as another: two runs of the same differ by as much.
const LEVEL: Goal = AtMost(1.02);

const BDWGC: &[Allocator] = &[Bdwgc1, Bdwgc2];
const PEERS: &[Allocator] = &[Mimalloc, Jemalloc, Tcmalloc, Glibc];
const ALL_PEERS: &[Allocator] = &[Bdwgc1, Bdwgc2, Mimalloc, Jemalloc, Tcmalloc, Glibc];

const GARBAGE_SMALL: On =
    On::Each(&["garbage-16-scanned", "garbage-64-scanned", "garbage-16-pointer-free", "garbage-64-pointer-free"]);
const GARBAGE_512: On = On::Each(&["garbage-512-scanned", "garbage-512-pointer-free"]);
const GARBAGE_4096: On = On::Each(&["garbage-4096-scanned", "garbage-4096-pointer-free"]);
const GARBAGE_SMALL_2: On = On::Each(&[
    "garbage-16-scanned-2-threads",
    "garbage-64-scanned-2-threads",
    "garbage-16-pointer-free-2-threads",
    "garbage-64-pointer-free-2-threads",
]);
const GARBAGE_LARGE_2: On = On::Each(&[
    "garbage-512-scanned-2-threads",
    "garbage-512-pointer-free-2-threads",
    "garbage-4096-scanned-2-threads",
    "garbage-4096-pointer-free-2-threads",
]);
const TREES: On = On::Each(&[
    "gcbench-1-thread",
    "gcbench-2-threads",
    "gcbench-large",
    "binary-trees-1-thread",
    "binary-trees-2-threads",
]);
const RANDOM: On = On::Each(&["mark-random"]);
const IN_ORDER: On = On::Each(&["mark-in-order"]);
const LIST: On = On::Each(&["mark-list"]);
const LRU: On = On::Each(&["lru-1m"]);
const LARGE_SCANNED: On = On::Each(&["large-scanned"]);
const LARGE_POINTER_FREE: On = On::Each(&["large-pointer-free"]);
const LEAKY: On = On::Each(&["leaky"]);
const FREED: On = On::Each(&["freed-64", "freed-64-idle", "freed-1m", "freed-1m-idle"]);
const SHARED: On = On::Each(&["remote-2-threads", "producer", "scratch-2-threads", "sleepers"]);
const SLEEPERS: On = On::Each(&["sleepers"]);
const PEAK: On = On::Each(&["peak-4g"]);
const PHASES: On = On::Each(&["phases", "phases-same"]);

const STALL: What = Own("stall_longest_us", 1e-3, "ms, longest stall");
const STOP: What = Own("stop_us", 1e-3, "ms, a stop");
const METADATA: What = Own("metadata_percent", 1.0, "% of live is metadata");
const THREADS_MORE: What = Own("threads_more", 1.0, "threads more");

const LEFT: What = size("rss_after_kb", "MB left");

/// A figure of the line that is a size in KiB.
const fn size(key: &'static str, unit: &'static str) -> What {
    Own(key, 1024.0 / 1e6, unit)
}

/// A clause for each workload.
const fn each(on: On, ours: Allocator, what: What, beside: Beside, goal: Goal) -> Clause {
    Clause { on, is_mean: false, ours, what, beside, goal }
}

/// A clause for the geometric mean over all workloads.
const fn mean(on: On, ours: Allocator, what: What, beside: Beside, goal: Goal) -> Clause {
    Clause { is_mean: true, ..each(on, ours, what, beside, goal) }
}

/// That there were collections: without them no collector was measured.
const fn collects(on: On, ours: Allocator) -> Clause {
    each(on, ours, Collections, Itself, AtLeast(1.0))
}

/// That a phase of `phases` ends with no more than a tenth above the best malloc.
const fn phase(key: &'static str, unit: &'static str) -> Clause {
    each(PHASES, GleanerMalloc, size(key, unit), Best(PEERS), AtMost(1.1))
}

/// So many times as fast.
const fn times_faster(times: f64) -> Goal {
    AtMost(1.0 / times)
}

/// All promises.
#[rustfmt::skip]
pub const PROMISES: &[Promise] = &[
    Promise {
        name: "malloc-speed",
        says: "malloc and free with collection on: geometric mean of time at most 1.0 of mimalloc and 0.6 of glibc, no \
               workload above 1.5 of the best peer; geometric mean of peak RSS at most 1.05 of mimalloc.",
        clauses: &[
            mean(On::EveryMalloc, GleanerMalloc, Time, Peer(Mimalloc), LEVEL),
            mean(On::EveryMalloc, GleanerMalloc, Time, Peer(Glibc), AtMost(0.6)),
            mean(On::EveryMalloc, GleanerMalloc, Memory, Peer(Mimalloc), AtMost(1.05)),
            each(On::EveryMalloc, GleanerMalloc, Time, Best(PEERS), AtMost(1.5)),
        ],
    },
    Promise {
        name: "garbage",
        says: "Garbage only, beside mimalloc's calloc or malloc and free: 16 and 64 bytes at most 1.5 of its time, 512 and \
               4,096 bytes at most 2.5, on 1 and 2 threads. Beside bdwgc: 3.5 times faster at 16 and 64 bytes, 5 at 512, \
               7 at 4,096; 10 times on two threads.",
        clauses: &[
            each(GARBAGE_SMALL, Gleaner, Time, Peer(Mimalloc), AtMost(1.5)),
            each(GARBAGE_512, Gleaner, Time, Peer(Mimalloc), AtMost(2.5)),
            each(GARBAGE_4096, Gleaner, Time, Peer(Mimalloc), AtMost(2.5)),
            each(GARBAGE_SMALL_2, Gleaner, Time, Peer(Mimalloc), AtMost(1.5)),
            each(GARBAGE_LARGE_2, Gleaner, Time, Peer(Mimalloc), AtMost(2.5)),
            each(GARBAGE_SMALL, Gleaner, Time, Best(BDWGC), times_faster(3.5)),
            each(GARBAGE_512, Gleaner, Time, Best(BDWGC), times_faster(5.0)),
            each(GARBAGE_4096, Gleaner, Time, Best(BDWGC), times_faster(7.0)),
            each(GARBAGE_SMALL_2, Gleaner, Time, Best(BDWGC), times_faster(10.0)),
            each(GARBAGE_LARGE_2, Gleaner, Time, Best(BDWGC), times_faster(10.0)),
            collects(GARBAGE_SMALL, Gleaner),
            collects(GARBAGE_512, Gleaner),
            collects(GARBAGE_4096, Gleaner),
            collects(GARBAGE_SMALL_2, Gleaner),
            collects(GARBAGE_LARGE_2, Gleaner),
        ],
    },
    Promise {
        name: "trees",
        says: "GCBench and binary trees: at least 2.5 times faster than bdwgc with its best number of markers at peak RSS \
               no higher, and faster than malloc and free under glibc.",
        clauses: &[
            each(TREES, Gleaner, Time, Best(BDWGC), times_faster(2.5)),
            each(TREES, Gleaner, Memory, Fastest(BDWGC), LEVEL),
            each(TREES, Gleaner, Time, Peer(Glibc), Below(1.0)),
            collects(TREES, Gleaner),
        ],
    },
    Promise {
        name: "mark",
        says: "A full collection of 1 GiB live in objects of 64 bytes: a random graph within 1.5 times of what the memory \
               can do, at least 5 times faster than bdwgc with one marker each and 7 times with two each; in order \
               2 times; a list in random order 2 times.",
        clauses: &[
            each(RANDOM, Gleaner1, Time, Peer(Limit), AtMost(1.5)),
            each(RANDOM, Gleaner2, Time, Peer(Limit2), AtMost(1.5)),
            each(RANDOM, Gleaner1, Time, Peer(Bdwgc1), times_faster(5.0)),
            each(RANDOM, Gleaner2, Time, Peer(Bdwgc2), times_faster(7.0)),
            each(IN_ORDER, Gleaner1, Time, Peer(Bdwgc1), times_faster(2.0)),
            each(IN_ORDER, Gleaner2, Time, Peer(Bdwgc2), times_faster(2.0)),
            each(LIST, Gleaner1, Time, Peer(Bdwgc1), times_faster(2.0)),
            each(LIST, Gleaner2, Time, Peer(Bdwgc2), times_faster(2.0)),
        ],
    },
    Promise {
        name: "lru",
        says: "A map of 1 million entries that forgets: within 1.3 of mimalloc's time and peak RSS; the longest stall of an \
               operation at most a fifth of bdwgc's.",
        clauses: &[
            each(LRU, Gleaner, Time, Peer(Mimalloc), AtMost(1.3)),
            each(LRU, Gleaner, Memory, Peer(Mimalloc), AtMost(1.3)),
            each(LRU, Gleaner, STALL, Best(BDWGC), times_faster(5.0)),
            each(LRU, GleanerMalloc, Time, Peer(Mimalloc), AtMost(1.3)),
            each(LRU, GleanerMalloc, Memory, Peer(Mimalloc), AtMost(1.3)),
            each(LRU, GleanerMalloc, STALL, Best(BDWGC), times_faster(5.0)),
            collects(LRU, Gleaner),
        ],
    },
    Promise {
        name: "large",
        says: "Objects of 64 KiB to 8 MiB: scanned, half of bdwgc's time; without pointers, level with the best peer.",
        clauses: &[
            each(LARGE_SCANNED, Gleaner, Time, Best(BDWGC), times_faster(2.0)),
            each(LARGE_POINTER_FREE, Gleaner, Time, Best(ALL_PEERS), LEVEL),
            collects(LARGE_SCANNED, Gleaner),
            collects(LARGE_POINTER_FREE, Gleaner),
        ],
    },
    Promise {
        name: "leaky",
        says: "A server that forgets two of six allocations a request: faster per request than under glibc while reclaiming, \
               peak RSS at most 16 MB.",
        clauses: &[
            each(LEAKY, GleanerMalloc, Time, Peer(Glibc), Below(1.0)),
            each(LEAKY, GleanerMalloc, Memory, Itself, AtMost(16.0)),
            collects(LEAKY, GleanerMalloc),
        ],
    },
    Promise {
        name: "release",
        says: "A process that allocated 1 GiB in pieces of 64 bytes or of 1 MiB and freed it: under 32 MB resident two \
               seconds later while it goes on with a little other work, without a thread of ours, single-threaded and \
               with 4 idle threads.",
        clauses: &[
            each(FREED, GleanerMalloc, LEFT, Itself, Below(32.0)),
            each(FREED, GleanerMalloc, THREADS_MORE, Itself, AtMost(0.0)),
            each(FREED, Gleaner, LEFT, Itself, Below(32.0)),
            each(FREED, Gleaner, THREADS_MORE, Itself, AtMost(0.0)),
        ],
    },
    Promise {
        name: "scaling",
        says: "Two threads on one size with remote frees; producer and consumer; false sharing; 1,000 sleepers: each within \
               1.5 of the best peer, and a stop with 1,000 sleepers under 5 ms. A program that grows to 4 GiB and frees by \
               hand: within 1.1 of mimalloc.",
        clauses: &[
            each(SHARED, GleanerMalloc, Time, Best(PEERS), AtMost(1.5)),
            each(SLEEPERS, GleanerMalloc, Memory, Best(PEERS), AtMost(1.5)),
            each(SLEEPERS, GleanerMalloc, STOP, Itself, Below(5.0)),
            each(SLEEPERS, Gleaner, STOP, Itself, Below(5.0)),
            each(PEAK, GleanerMalloc, Time, Peer(Mimalloc), AtMost(1.1)),
        ],
    },
    Promise {
        name: "fragmentation",
        says: "Build, drop half at random, build again: the resident set after each phase at most 1.1 of the best peer's; \
               metadata at most 4 % of live at 1 GiB.",
        clauses: &[
            phase("rss_built_kb", "MB, built"),
            phase("rss_dropped_1_kb", "MB, dropped once"),
            phase("rss_rebuilt_1_kb", "MB, built again"),
            phase("rss_dropped_2_kb", "MB, dropped twice"),
            phase("rss_rebuilt_2_kb", "MB, built a third time"),
            phase("rss_dropped_3_kb", "MB, dropped three times"),
            phase("rss_rebuilt_3_kb", "MB, built a fourth time"),
            each(IN_ORDER, Gleaner, METADATA, Itself, AtMost(4.0)),
            each(IN_ORDER, GleanerMalloc, METADATA, Itself, AtMost(4.0)),
        ],
    },
];

/// The promises of these names; `all` names each.
pub fn chosen(names: &[String]) -> Result<Vec<&'static Promise>, String> {
    if names.iter().any(|name| name == "all") {
        return Ok(PROMISES.iter().collect());
    }
    let one = |name: &String| {
        let known = || PROMISES.iter().map(|promise| promise.name).collect::<Vec<_>>().join(", ");
        let found = PROMISES.iter().find(|promise| promise.name == name);
        found.ok_or_else(|| format!("nothing is promised of {name:?}; there are {}", known()))
    };
    names.iter().map(one).collect()
}

impl Promise {
    /// The workloads of all clauses, each once and in their usual order, with the allocators that they need.
    pub fn workloads(&self) -> Vec<(&'static Workload, Vec<Allocator>)> {
        let needed = |workload: &'static Workload| {
            let clauses = self.clauses.iter().filter(|clause| clause.on.workloads().any(|w| w.name == workload.name));
            let allocators: Vec<_> = clauses.flat_map(Clause::allocators).collect();
            (!allocators.is_empty()).then_some((workload, allocators))
        };
        WORKLOADS.iter().filter_map(needed).collect()
    }
}

impl Clause {
    /// Ours, and all that it is compared with.
    pub fn allocators(&self) -> Vec<Allocator> {
        let mut allocators = vec![self.ours];
        match self.beside {
            Itself => {}
            Peer(peer) => allocators.push(peer),
            Best(peers) | Fastest(peers) => allocators.extend(peers),
        }
        allocators
    }
}

impl On {
    /// The workloads, in their usual order.
    pub fn workloads(self) -> Box<dyn Iterator<Item = &'static Workload>> {
        match self {
            On::Each(names) => {
                Box::new(names.iter().map(|name| workloads::named(name).expect("a test has looked for it")))
            }
            On::EveryMalloc => Box::new(WORKLOADS.iter().filter(|workload| times_malloc(workload))),
        }
    }
}

/// Whether a workload times malloc and free: not those whose figure is the memory that is left after a sleep, and not
/// those that run only when they are named, of which there are smaller ones.
fn times_malloc(workload: &Workload) -> bool {
    let on_all = MALLOCS.iter().all(|allocator| workload.allocators.contains(allocator));
    on_all && workload.program != "freed" && workload.part != Part::Named
}

impl What {
    /// Its key in a line, what it is multiplied by to be shown, and the unit then.
    pub fn on(self, workload: &Workload) -> (&'static str, f64, &'static str) {
        match self {
            Time if workload.figure.is_time() => (workload.figure.key, workload.figure.scale, workload.figure.unit),
            Time => ("ns", 1.0, "ns"),
            Memory => ("peak_rss_kb", 1024.0 / 1e6, "MB peak"),
            Collections => ("collections", 1.0, "collections"),
            Own(key, scale, unit) => (key, scale, unit),
        }
    }
}

impl Goal {
    /// Whether a figure or a ratio keeps it.
    pub fn is_kept_by(self, value: f64) -> bool {
        match self {
            AtMost(limit) => value <= limit,
            Below(limit) => value < limit,
            AtLeast(limit) => value >= limit,
        }
    }
}

impl std::fmt::Display for Goal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            AtMost(limit) => write!(f, "at most {limit:.2}"),
            Below(limit) => write!(f, "below {limit:.2}"),
            AtLeast(limit) => write!(f, "at least {limit}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_clause_can_be_measured() {
        for promise in PROMISES {
            for clause in promise.clauses {
                if let On::Each(names) = clause.on {
                    names.iter().for_each(|name| assert!(workloads::named(name).is_some(), "{name}"));
                }
                for workload in clause.on.workloads() {
                    for allocator in clause.allocators() {
                        let is_there = workload.allocators.contains(&allocator);
                        assert!(is_there, "{}: {} does not run on {allocator:?}", promise.name, workload.name);
                    }
                }
            }
        }
    }

    #[test]
    fn each_workload_of_malloc_counts() {
        let names: Vec<_> = On::EveryMalloc.workloads().map(|workload| workload.name).collect();
        for name in ["pair-48", "start", "phases", "leaky", "garbage-4096-pointer-free-2-threads", "gcbench-large"] {
            assert!(names.contains(&name), "{name}");
        }
        assert!(!names.contains(&"freed-64") && !names.contains(&"mark-random"));
    }

    #[test]
    fn a_promise_runs_each_workload_once_with_all_that_it_needs() {
        let lru = chosen(&["lru".to_owned()]).unwrap()[0];
        let [(workload, allocators)] = &lru.workloads()[..] else { panic!("there is one") };
        assert_eq!(workload.name, "lru-1m");
        for allocator in [Gleaner, GleanerMalloc, Mimalloc, Bdwgc1, Bdwgc2] {
            assert!(allocators.contains(&allocator), "{allocator:?}");
        }
        assert!(!allocators.contains(&Tcmalloc));
        assert!(chosen(&["luck".to_owned()]).err().unwrap().contains("fragmentation"));
    }

    #[test]
    fn the_makefile_has_a_command_for_each() {
        let makefile = include_str!("../../../../Makefile");
        let names: Vec<_> = PROMISES.iter().map(|promise| promise.name).collect();
        assert!(makefile.contains(&format!("\nSPEED := {}\n", names.join(" "))), "{names:?}");
    }

    #[test]
    fn a_goal_is_kept_at_its_end_or_before() {
        assert!(AtMost(1.5).is_kept_by(1.5) && !AtMost(1.5).is_kept_by(1.51));
        assert!(Below(1.0).is_kept_by(0.99) && !Below(1.0).is_kept_by(1.0));
        assert!(AtLeast(1.0).is_kept_by(1.0) && !AtLeast(1.0).is_kept_by(0.0));
        for goal in [AtMost(1.0), Below(1.0), AtLeast(1.0)] {
            assert!(!goal.is_kept_by(f64::NAN), "what is no number keeps no goal");
        }
    }
}
