//! One workload of one handle, once, in a process of its own: `PROGRAM WORKLOAD HANDLE [DIVISOR]`.
//!
//! Prints one line of figures: nanoseconds, collections, the most memory in KiB, the sum.

use crate::{Run, WORKLOADS, Work, collections};
use std::{env, fs, process, time::Instant};

/// What a program does whose global allocator is what is to be measured.
pub fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let Some((run, work)) = chosen(&arguments) else {
        eprintln!("usage: WORKLOAD HANDLE [DIVISOR]");
        process::exit(2);
    };
    print(run, work);
}

fn chosen(arguments: &[String]) -> Option<(Run, Work)> {
    let workload = WORKLOADS.iter().find(|workload| workload.name == arguments.first().map_or("", String::as_str))?;
    let (_, run) = workload.peers.iter().find(|(name, _)| Some(*name) == arguments.get(1).map(String::as_str))?;
    let divisor = arguments.get(2).map_or(Some(1), |text| text.parse().ok())?;
    Some((*run, Work { steps: workload.work.steps / divisor, ..workload.work }))
}

fn print(run: Run, work: Work) {
    let start = Instant::now();
    let outcome = run(work);
    let time_ns = start.elapsed().as_nanos();
    println!("{time_ns} {} {} {}", collections(), peak_kib(), outcome.sum);
    // Nobody waits for what is still there.
    process::exit(0);
}

/// The most memory that the process had.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("the kernel tells of this process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("it tells the most memory");
    line.trim().trim_end_matches("kB").trim().parse().expect("a number of KiB")
}
