//! The workloads under criterion, at a size for many iterations: `cargo bench -p gleaner-handles [--bench ALLOCATOR]`.
//!
//! All handles of a workload run in one process, one after the other; collections are off while it is not gleaner's turn.

use crate::WORKLOADS;
use criterion::{BenchmarkId, Criterion};
use std::time::Duration;

/// Measures everything that this program's global allocator, called `allocator`, can do.
pub fn main(allocator: &str) {
    // Some collectors follow a list by recursion.
    let allocator = allocator.to_owned();
    let thread = std::thread::Builder::new().stack_size(1 << 30).spawn(move || measure(&allocator));
    thread.expect("address space for a stack of 1 GiB").join().expect("the benches end");
}

fn measure(allocator: &str) {
    let mut criterion = Criterion::default().configure_from_args();
    for workload in &WORKLOADS {
        let mut group = criterion.benchmark_group(workload.name);
        group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
        for &(name, run) in workload.peers {
            let is_gleaner = name == "Gc";
            if is_gleaner && allocator != "gleaner" {
                continue;
            }
            let _none = (!is_gleaner).then(gleaner::NoCollection::new);
            group.bench_function(BenchmarkId::new(name, allocator), |bencher| {
                bencher.iter_with_large_drop(|| run(workload.bench).kept);
            });
        }
    }
    criterion.final_summary();
}
