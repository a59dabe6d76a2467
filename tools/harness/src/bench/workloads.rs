//! The table of workloads: which program, how large, on which allocators, and what it is for.

use serde::Serialize;

use Part::{Full, Named, Quick};

use super::allocators::Allocator::{self, *};

/// One workload.
#[derive(Debug, Serialize)]
pub struct Workload {
    /// Its name in tables; names that begin alike can be chosen together.
    pub name: &'static str,
    /// The program: `benches/c/PROGRAM.c`.
    pub program: &'static str,
    /// Its arguments at full size.
    pub arguments: &'static str,
    /// When it runs without being named.
    pub part: Part,
    /// On what it makes sense, in the order of a round.
    pub allocators: &'static [Allocator],
    /// What is compared.
    pub figure: Figure,
    /// Rounds at most unless they are asked for: for what takes long and hardly varies.
    pub rounds_most: usize,
    /// What it is for.
    pub purpose: &'static str,
}

/// When a workload runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Part {
    /// Always; these arguments make it small. They come before the others: programs heed the first of two.
    Quick(&'static str),
    /// When all are run.
    Full,
    /// Only when it is named.
    Named,
}

/// A figure of a line.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// Its key in the line.
    pub key: &'static str,
    /// What it is multiplied by to be shown.
    pub scale: f64,
    /// The unit then.
    pub unit: &'static str,
}

impl Figure {
    /// Whether it is a time, not a size.
    pub fn is_time(&self) -> bool {
        !self.unit.ends_with('B')
    }
}

const WALL: Figure = Figure { key: "seconds", scale: 1.0, unit: "s" };
const OPERATION: Figure = Figure { key: "ns", scale: 1.0, unit: "ns" };
const OPERATION_US: Figure = Figure { key: "ns", scale: 1e-3, unit: "µs" };
const MARK: Figure = Figure { key: "collect_ms", scale: 1.0, unit: "ms" };
const LINE_READ: Figure = Figure { key: "random_ns", scale: 1.0, unit: "ns" };
const REBUILT: Figure = Figure { key: "rss_rebuilt_kb", scale: 1024.0 / 1e6, unit: "MB" };
const AFTER: Figure = Figure { key: "rss_after_kb", scale: 1024.0 / 1e6, unit: "MB" };

/// malloc and free by hand.
pub const MALLOCS: &[Allocator] = &[GleanerMalloc, Mimalloc, Jemalloc, Tcmalloc, Glibc];
/// Collected, and by hand.
const ALL: &[Allocator] = &[Gleaner, GleanerMalloc, Bdwgc1, Bdwgc2, Mimalloc, Jemalloc, Tcmalloc, Glibc];
/// What has a full collection to be timed, and what memory allows.
const MARKERS: &[Allocator] = &[Gleaner, Gleaner1, Gleaner2, GleanerMalloc, Bdwgc1, Bdwgc2, Limit, Limit2];

/// A workload on malloc and free: nanoseconds an operation.
const fn by_hand(
    name: &'static str,
    program: &'static str,
    arguments: &'static str,
    part: Part,
    purpose: &'static str,
) -> Workload {
    let allocators = MALLOCS;
    Workload { name, program, arguments, part, allocators, figure: OPERATION, rounds_most: usize::MAX, purpose }
}

/// A workload on everything: nanoseconds an operation.
const fn everywhere(
    name: &'static str,
    program: &'static str,
    arguments: &'static str,
    part: Part,
    purpose: &'static str,
) -> Workload {
    Workload { allocators: ALL, ..by_hand(name, program, arguments, part, purpose) }
}

/// The same, in seconds of the whole.
const fn whole(
    name: &'static str,
    program: &'static str,
    arguments: &'static str,
    part: Part,
    purpose: &'static str,
) -> Workload {
    Workload { figure: WALL, ..everywhere(name, program, arguments, part, purpose) }
}

/// Garbage only; `arguments` name size, kind, threads and how many.
const fn garbage(name: &'static str, arguments: &'static str, part: Part) -> Workload {
    let purpose = "objects of one size dropped at once: handing out, clearing, taking back";
    everywhere(name, "garbage", arguments, part, purpose)
}

/// A heap of a gigabyte that was freed.
const fn freed(name: &'static str, arguments: &'static str) -> Workload {
    let purpose = "the resident set two seconds after 1 GiB was freed, while a little other work goes on";
    let allocators = &[Gleaner, GleanerMalloc, Mimalloc, Jemalloc, Tcmalloc, Glibc];
    Workload { allocators, figure: AFTER, rounds_most: 2, ..by_hand(name, "freed", arguments, Part::Full, purpose) }
}

/// A full mark of a gigabyte.
const fn mark(name: &'static str, arguments: &'static str, part: Part, purpose: &'static str) -> Workload {
    let whole = whole(name, "mark", arguments, part, purpose);
    Workload { allocators: MARKERS, figure: MARK, ..whole }
}

/// All workloads, in the order in which they run.
#[rustfmt::skip]
pub const WORKLOADS: &[Workload] = &[
    // ---- malloc and free ----------------------------------------------------------------------------------------
    by_hand("pair-48", "batch", "--batch 1 --operations 50000000", Quick("--operations 20000000"),
        "malloc and free of one object at once"),
    by_hand("pair-48-2-threads", "batch", "--batch 1 --threads 2 --operations 50000000", Full,
        "the same on two threads: what they share"),
    by_hand("batch-8", "batch", "--batch 1000 --size 8 --operations 30000000", Full,
        "1,000 mallocs, then 1,000 frees, of the smallest objects"),
    by_hand("batch-48", "batch", "--batch 1000 --operations 30000000", Quick("--operations 10000000"),
        "1,000 mallocs, then 1,000 frees: refill and flush"),
    by_hand("batch-48-2-threads", "batch", "--batch 1000 --threads 2 --operations 30000000",
        Quick("--operations 10000000"), "the same on two threads"),
    by_hand("replace-10k", "replace", "--live 10000 --operations 10000000", Quick("--operations 2000000"),
        "a live set of 16 to 271 bytes replaced at random, in the cache"),
    by_hand("replace-100k", "replace", "--live 100000 --operations 10000000", Quick("--operations 1000000"),
        "the same beyond the L2 cache"),
    by_hand("replace-100k-2-threads", "replace", "--live 100000 --threads 2 --operations 10000000",
        Quick("--operations 1000000"), "the same on two threads, each with its own set"),
    by_hand("replace-1m", "replace", "--live 1000000 --operations 10000000", Full,
        "the same, mostly cache misses"),
    by_hand("larson-2-threads", "larson", "--threads 2", Quick("--generations 20"),
        "a server whose threads end and leave their objects to others"),
    by_hand("producer", "producer", "--objects 20000000", Quick("--objects 2000000"),
        "one thread allocates, another frees"),
    by_hand("scratch-2-threads", "scratch", "--threads 2", Quick("--objects 50000"),
        "false sharing that an allocator passes on"),
    by_hand("remote-2-threads", "remote", "--threads 2", Quick("--chains 30000"),
        "two threads on one size, each frees what the other allocated"),
    by_hand("mix", "mix", "--operations 20000000", Quick("--operations 2000000"),
        "sizes and lifetimes recorded from real programs"),
    by_hand("mix-2-threads", "mix", "--threads 2 --operations 20000000", Quick("--operations 2000000"),
        "the same on two threads"),
    by_hand("peak-1g", "peak", "--megabytes 1024", Quick("--megabytes 64"),
        "grows and frees everything by hand: collections must all but vanish"),
    by_hand("peak-4g", "peak", "--megabytes 4096", Named, "the same with 4 GiB"),
    freed("freed-64", "--piece 64"),
    freed("freed-64-idle", "--piece 64 --idle 4"),
    freed("freed-1m", "--piece 1048576"),
    freed("freed-1m-idle", "--piece 1048576 --idle 4"),
    // ---- both ---------------------------------------------------------------------------------------------------
    everywhere("grow", "grow", "", Quick("--operations 30000"), "arrays grown by realloc up to 4 MiB"),
    Workload {
        figure: REBUILT,
        ..everywhere("phases", "phases", "", Quick("--objects 200000"),
            "build, drop half at random, build again with other sizes: what fragmentation costs")
    },
    Workload {
        figure: REBUILT,
        ..everywhere("phases-same", "phases", "--again 256", Quick("--objects 200000"), "the same with the sizes it had")
    },
    Workload {
        figure: OPERATION_US,
        ..everywhere("start", "start", "", Quick("--processes 50"), "processes as small as ls: time and memory to start")
    },
    everywhere("sleepers", "sleepers", "", Quick("--sleepers 1000 --turns 1000 --collections 5"),
        "1,000 mostly sleeping threads: memory, and the time of a stop"),
    everywhere("leaky", "leaky", "", Quick("--requests 1000000"),
        "a server that forgets two of six allocations a request"),
    Workload {
        figure: OPERATION_US,
        ..everywhere("large-scanned", "large", "--objects 5000 --scanned 1", Quick("--objects 300"),
            "objects of 64 KiB to 8 MiB that may hold pointers")
    },
    Workload {
        figure: OPERATION_US,
        ..everywhere("large-pointer-free", "large", "--objects 5000 --scanned 0", Quick("--objects 300"),
            "objects of 64 KiB to 8 MiB without pointers")
    },
    everywhere("lru-1m", "lru", "", Quick("--entries 100000 --operations 1000000"),
        "a map that forgets: time, memory, and the longest stall of an operation"),
    everywhere("lru-4m", "lru", "--entries 4000000 --operations 20000000", Named,
        "the same with half a gigabyte live: the longest stall"),
    garbage("garbage-8-scanned", "--size 8 --objects 10000000", Full),
    garbage("garbage-16-scanned", "--size 16 --objects 10000000", Quick("--objects 3000000")),
    garbage("garbage-64-scanned", "--size 64 --objects 10000000", Quick("--objects 3000000")),
    garbage("garbage-512-scanned", "--size 512 --objects 3000000", Quick("--objects 500000")),
    garbage("garbage-4096-scanned", "--size 4096 --objects 500000", Quick("--objects 50000")),
    garbage("garbage-8-pointer-free", "--size 8 --objects 10000000 --scanned 0", Full),
    garbage("garbage-16-pointer-free", "--size 16 --objects 10000000 --scanned 0", Full),
    garbage("garbage-64-pointer-free", "--size 64 --objects 10000000 --scanned 0", Quick("--objects 3000000")),
    garbage("garbage-512-pointer-free", "--size 512 --objects 3000000 --scanned 0", Full),
    garbage("garbage-4096-pointer-free", "--size 4096 --objects 500000 --scanned 0", Full),
    garbage("garbage-8-scanned-2-threads", "--threads 2 --size 8 --objects 5000000", Full),
    garbage("garbage-16-scanned-2-threads", "--threads 2 --size 16 --objects 5000000", Full),
    garbage("garbage-64-scanned-2-threads", "--threads 2 --size 64 --objects 5000000", Quick("--objects 500000")),
    garbage("garbage-512-scanned-2-threads", "--threads 2 --size 512 --objects 1000000", Full),
    garbage("garbage-4096-scanned-2-threads", "--threads 2 --size 4096 --objects 200000", Quick("--objects 20000")),
    garbage("garbage-8-pointer-free-2-threads", "--threads 2 --size 8 --objects 5000000 --scanned 0", Full),
    garbage("garbage-16-pointer-free-2-threads", "--threads 2 --size 16 --objects 5000000 --scanned 0", Full),
    garbage("garbage-64-pointer-free-2-threads", "--threads 2 --size 64 --objects 5000000 --scanned 0", Full),
    garbage("garbage-512-pointer-free-2-threads", "--threads 2 --size 512 --objects 1000000 --scanned 0", Full),
    garbage("garbage-4096-pointer-free-2-threads", "--threads 2 --size 4096 --objects 200000 --scanned 0", Full),
    // ---- collecting ---------------------------------------------------------------------------------------------
    whole("gcbench-1-thread", "gcbench", "--threads 1", Quick("--stretch 16"), "trees of every age"),
    whole("gcbench-2-threads", "gcbench", "--threads 2", Quick("--stretch 15"), "trees of every age on two threads"),
    whole("gcbench-large", "gcbench", "--threads 1 --stretch 20 --array 2000000", Full, "trees of every age, larger"),
    whole("binary-trees-1-thread", "binary_trees", "--threads 1", Quick("--depth 14"),
        "short-lived trees beside one that lives"),
    whole("binary-trees-2-threads", "binary_trees", "--threads 2", Quick("--depth 14"), "the same on two threads"),
    Workload {
        rounds_most: 3,
        ..whole("list-in-order", "list", "--order 0 --collections 3", Quick("--nodes 300000"),
            "a list of 10 million nodes in order: no node can be asked for ahead")
    },
    Workload {
        rounds_most: 2,
        ..whole("list-shuffled", "list", "--order 1 --collections 3", Full, "the same with the nodes in random order")
    },
    mark("mark-random", "--megabytes 1024 --order 0 --collections 1", Quick("--megabytes 64"),
        "a full mark of 1 GiB of 64-byte objects, a random graph"),
    mark("mark-in-order", "--megabytes 1024 --order 1 --collections 1", Quick("--megabytes 64"),
        "a full mark of 1 GiB of 64-byte objects behind one array, in order"),
    Workload {
        allocators: &[Gleaner, Gleaner1, Gleaner2, GleanerMalloc, Bdwgc1, Bdwgc2],
        ..mark("mark-list", "--megabytes 1024 --order 2 --collections 1", Quick("--megabytes 64"),
            "a full mark of 1 GiB of 64-byte objects, a list in random order")
    },
    Workload {
        allocators: &[Limit],
        figure: LINE_READ,
        ..whole("limits", "limits", "", Quick("--megabytes 256"), "what the memory of the machine can do")
    },
    Workload {
        allocators: &[Limit],
        figure: LINE_READ,
        ..whole("limits-2-threads", "limits", "--threads 2", Full, "the same by two threads")
    },
];

/// The workload of a name.
pub fn named(name: &str) -> Option<&'static Workload> {
    WORKLOADS.iter().find(|workload| workload.name == name)
}

impl Workload {
    /// The program that an allocator runs.
    pub fn program_on(&self, allocator: Allocator) -> &'static str {
        if allocator.is_limit() { "limits" } else { self.program }
    }

    /// The arguments of a run.
    pub fn words(&self, quick: bool) -> Vec<&'static str> {
        let small = match self.part {
            Part::Quick(small) if quick => small,
            _ => "",
        };
        small.split_ascii_whitespace().chain(self.arguments.split_ascii_whitespace()).collect()
    }
}

/// The workloads to run: those whose names begin with one of `names`, or without names those of the part.
pub fn chosen(names: &[String], quick: bool) -> Result<Vec<&'static Workload>, String> {
    if let Some(unknown) = names.iter().find(|name| !WORKLOADS.iter().any(|w| w.name.starts_with(name.as_str()))) {
        return Err(format!("no workload begins with {unknown:?}; --list shows them"));
    }
    let wanted = |workload: &&Workload| match workload.part {
        _ if !names.is_empty() => names.iter().any(|name| workload.name.starts_with(name.as_str())),
        Part::Quick(_) => true,
        Part::Full => !quick,
        Part::Named => false,
    };
    Ok(WORKLOADS.iter().filter(wanted).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_name_is_there_once_and_has_a_program() {
        let mut names = HashSet::new();
        let programs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../benches/c");
        for workload in WORKLOADS {
            assert!(names.insert(workload.name), "{} is there twice", workload.name);
            let source = format!("{programs}/{}.c", workload.program);
            assert!(std::path::Path::new(&source).exists(), "{source} is missing");
        }
    }

    #[test]
    fn the_readme_explains_each_program() {
        let readme = include_str!("../../../../benches/README.md");
        for workload in WORKLOADS {
            let row = format!("| `{}` |", workload.program);
            assert!(readme.contains(&row), "benches/README.md has no row for {}", workload.program);
        }
    }

    #[test]
    fn a_beginning_chooses_all_that_have_it() {
        let names = |wanted: &str| -> Vec<_> {
            chosen(&[wanted.to_owned()], false).unwrap().iter().map(|workload| workload.name).collect()
        };
        assert_eq!(names("mix"), ["mix", "mix-2-threads"]);
        assert_eq!(names("peak-4g"), ["peak-4g"]);
        assert!(chosen(&["sort".to_owned()], false).unwrap_err().contains("\"sort\""));
    }

    #[test]
    fn the_quick_part_is_smaller_and_what_is_named_stays_out() {
        let (quick, full) = (chosen(&[], true).unwrap(), chosen(&[], false).unwrap());
        assert!(quick.len() < full.len());
        assert!(full.iter().all(|workload| workload.part != Part::Named));
    }

    #[test]
    fn what_makes_a_workload_small_comes_first() {
        let lru = WORKLOADS.iter().find(|workload| workload.name == "peak-1g").unwrap();
        assert_eq!(lru.words(true), ["--megabytes", "64", "--megabytes", "1024"]);
        assert_eq!(lru.words(false), ["--megabytes", "1024"]);
    }
}
