//! Running a workload: its allocators in turn, A B C, A B C, so that a change of the machine meets them all.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use super::allocators::Allocator;
use super::build::Places;
use super::line::Line;
use super::workloads::Workload;

/// The seconds that one run may take.
const DEADLINE_S: u32 = 600;
/// How `timeout` ends when a program was killed: 128 and the number of SIGKILL.
const KILLED: i32 = 137;

/// A workload with what came of it.
#[derive(Debug, Serialize)]
pub struct Measured {
    /// What was run.
    pub workload: &'static Workload,
    /// The arguments of each run.
    pub arguments: Vec<&'static str>,
    /// The allocators in their order, each with its runs, one a round.
    pub runs: Vec<(Allocator, Vec<Line>)>,
    /// What went wrong. An allocator with a failure has no runs.
    pub failures: Vec<String>,
}

/// Runs a workload so many rounds on those of its allocators that are wanted.
pub fn measure(
    places: &Places,
    workload: &'static Workload,
    wanted: &[Allocator],
    rounds: usize,
    quick: bool,
) -> Result<Measured> {
    let allocators: Vec<_> = workload.allocators.iter().copied().filter(|a| wanted.contains(a)).collect();
    for allocator in &allocators {
        places.compile(workload.program_on(*allocator), allocator.binding())?;
    }
    let arguments = workload.words(quick);
    let mut runs: Vec<_> = allocators.iter().map(|allocator| (*allocator, Vec::new())).collect();
    let mut failures = BTreeMap::new();
    for _ in 0..rounds {
        for (allocator, lines) in &mut runs {
            if failures.contains_key(&allocator.name()) {
                continue;
            }
            match run(places, workload, *allocator, &arguments) {
                Ok(line) => lines.push(line),
                Err(error) => {
                    failures.insert(allocator.name(), format!("{}: {error:#}", allocator.name()));
                    lines.clear();
                }
            }
        }
    }
    let mut failures: Vec<_> = failures.into_values().collect();
    failures.extend(differing_checksums(&runs));
    Ok(Measured { workload, arguments, runs, failures })
}

/// One run of a program. A deadline ends one that hangs.
fn run(places: &Places, workload: &Workload, allocator: Allocator, arguments: &[&str]) -> Result<Line> {
    let mut command = Command::new("timeout");
    command.arg("--signal=KILL").arg(DEADLINE_S.to_string()).arg("env");
    if let Some(library) = allocator.preload(&places.doors) {
        command.arg(format!("LD_PRELOAD={}", library.canonicalize()?.display()));
    }
    if let Some((name, value)) = allocator.environment() {
        command.arg(format!("{name}={value}"));
    }
    command.arg(places.program(workload.program_on(allocator), allocator.binding())).args(arguments);
    command.env_remove("LD_PRELOAD").stderr(std::process::Stdio::inherit());
    let output = command.output().context("timeout cannot be started")?;
    let (status, stdout) = (output.status, String::from_utf8_lossy(&output.stdout));
    ensure!(status.code() != Some(KILLED), "{command:?} was killed: did it take more than {DEADLINE_S} s?");
    ensure!(status.success(), "{command:?}: {status}");
    let line = Line::parse(&stdout).with_context(|| format!("{command:?} wrote {stdout:?}"))?;
    line.figure(workload.figure.key).with_context(|| format!("{command:?} wrote {stdout:?}"))?;
    Ok(line)
}

/// All runs of all allocators must have built and found the same.
fn differing_checksums(runs: &[(Allocator, Vec<Line>)]) -> Option<String> {
    let judged = || runs.iter().filter(|(allocator, _)| *allocator != Allocator::Limit);
    let all = || judged().flat_map(|(allocator, lines)| lines.iter().map(move |line| (allocator, &line.checksum)));
    let (first, expected) = all().next()?;
    let (other, found) = all().find(|(_, checksum)| *checksum != expected)?;
    Some(format!("checksums differ: {expected} on {}, {found} on {}", first.name(), other.name()))
}

#[cfg(test)]
mod tests {
    use super::super::line::tests::line;
    use super::*;

    #[test]
    fn a_checksum_that_differs_is_named() {
        let same = || vec![line("0x1", &[]), line("0x1", &[])];
        let runs = [(Allocator::Gleaner, same()), (Allocator::Glibc, same()), (Allocator::Limit, vec![line("0", &[])])];
        assert_eq!(differing_checksums(&runs), None);
        let runs = [(Allocator::Gleaner, same()), (Allocator::Glibc, vec![line("0x1", &[]), line("0x2", &[])])];
        let failure = differing_checksums(&runs).unwrap();
        assert_eq!(failure, "checksums differ: 0x1 on gleaner, 0x2 on glibc");
    }

    #[test]
    fn without_runs_nothing_differs() {
        assert_eq!(differing_checksums(&[(Allocator::Gleaner, Vec::new())]), None);
    }
}
