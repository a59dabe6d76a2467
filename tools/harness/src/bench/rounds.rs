//! Running a workload: its allocators in turn, A B C, A B C, so that a change of the machine meets them all.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use super::allocators::{Allocator, joined};
use super::build::Places;
use super::constrained::Surroundings;
use super::line::{Line, OTHERS};
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
    /// Rounds that did not count and were made again.
    pub again: usize,
}

impl Measured {
    /// The runs of one allocator; none when it was not run or failed.
    pub fn lines(&self, wanted: Allocator) -> &[Line] {
        self.runs.iter().find(|(allocator, _)| *allocator == wanted).map_or(&[], |(_, lines)| lines)
    }
}

/// How many rounds there are.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    /// Those that count.
    pub counted: usize,
    /// Those that may be made again when one of their runs lost a core to a neighbour; 0 counts such rounds too.
    pub again: usize,
}

/// Runs a workload so many rounds on those of its allocators that are wanted.
pub fn measure(
    places: &Places,
    workload: &'static Workload,
    wanted: &[Allocator],
    rounds: Rounds,
    quick: bool,
) -> Result<Measured> {
    let allocators: Vec<_> = workload.allocators.iter().copied().filter(|a| wanted.contains(a)).collect();
    for allocator in &allocators {
        places.compile(workload.program_on(*allocator), allocator.binding())?;
    }
    let arguments = workload.words(quick);
    let mut runs: Vec<_> = allocators.iter().map(|allocator| (*allocator, Vec::new())).collect();
    let mut failures = BTreeMap::new();
    let (mut counted, mut again) = (0, 0);
    while counted < rounds.counted && again <= rounds.again {
        let round = one_round(&allocators, &mut failures, |allocator| {
            let program = workload.program_on(allocator);
            let line = run(places, program, allocator, &arguments, &Surroundings::usual())?;
            line.figure(workload.figure.key).map(|_| line)
        });
        if rounds.again > 0 && round.iter().any(|(_, line)| line.lost_a_core()) {
            again += 1;
            continue;
        }
        counted += 1;
        for (allocator, line) in round {
            let all = runs.iter_mut().find(|(other, _)| *other == allocator);
            all.expect("it is one of them").1.push(line);
        }
    }
    runs.iter_mut().filter(|(allocator, _)| failures.contains_key(&allocator.name())).for_each(|run| run.1.clear());
    let mut failures: Vec<_> = failures.into_values().collect();
    failures.extend(differing_checksums(&runs));
    Ok(Measured { workload, arguments, runs, failures, again })
}

/// Each allocator once, but for those that have failed.
fn one_round(
    allocators: &[Allocator],
    failures: &mut BTreeMap<String, String>,
    run: impl Fn(Allocator) -> Result<Line>,
) -> Vec<(Allocator, Line)> {
    let mut round = Vec::new();
    for &allocator in allocators {
        if failures.contains_key(&allocator.name()) {
            continue;
        }
        match run(allocator) {
            Ok(line) => round.push((allocator, line)),
            Err(error) => {
                failures.insert(allocator.name(), format!("{}: {error:#}", allocator.name()));
            }
        }
    }
    round
}

/// One run of a program. A deadline ends one that hangs.
pub fn run(
    places: &Places,
    program: &str,
    allocator: Allocator,
    arguments: &[&str],
    surroundings: &Surroundings,
) -> Result<Line> {
    let mut command = Command::new("timeout");
    command.arg("--signal=KILL").arg(DEADLINE_S.to_string()).args(&surroundings.prefix).arg("env");
    if let Some(library) = allocator.preload(&places.doors) {
        command.arg(format!("LD_PRELOAD={}", library.canonicalize()?.display()));
    }
    let options = joined(&std::env::var("GLEANER_OPTIONS").unwrap_or_default(), surroundings.options);
    command.arg(format!("GLEANER_OPTIONS={options}"));
    if let Some((name, value)) = allocator.environment(&options) {
        command.arg(format!("{name}={value}"));
    }
    command.arg(places.program(program, allocator.binding()));
    command.args(arguments).args(allocator.arguments());
    command.env_remove("LD_PRELOAD").stderr(std::process::Stdio::inherit());
    let busy_before = busy_seconds()?;
    let output = {
        let _start = surroundings.start()?;
        command.output().context("timeout cannot be started")?
    };
    let busy = busy_seconds()? - busy_before;
    let (status, stdout) = (output.status, String::from_utf8_lossy(&output.stdout));
    ensure!(status.code() != Some(KILLED), "{command:?} was killed: did it take more than {DEADLINE_S} s?");
    ensure!(status.success(), "{command:?}: {status}");
    let mut line = Line::parse(&stdout).with_context(|| format!("{command:?} wrote {stdout:?}"))?;
    let others = (busy - line.figure("cpu_seconds")?).max(0.0);
    line.figures.insert(OTHERS.to_owned(), others);
    Ok(line)
}

/// The seconds that all processors were busy so far, those taken by other machines with them.
fn busy_seconds() -> Result<f64> {
    let text = fs::read_to_string("/proc/stat").context("/proc/stat cannot be read")?;
    parse_busy_seconds(&text).with_context(|| format!("/proc/stat does not begin as expected: {text}"))
}

/// Adds user, nice, system, irq, softirq and steal of the line `cpu`: all but idle and iowait.
fn parse_busy_seconds(stat: &str) -> Option<f64> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let words = stat.lines().next()?.strip_prefix("cpu ")?.split_ascii_whitespace();
    let ticks: Vec<u64> = words.take(8).map(|word| word.parse().ok()).collect::<Option<_>>()?;
    let [user, nice, system, _, _, irq, softirq, steal] = ticks.try_into().ok()?;
    Some((user + nice + system + irq + softirq + steal) as f64 / TICKS_PER_SECOND)
}

/// All runs of all allocators must have built and found the same.
fn differing_checksums(runs: &[(Allocator, Vec<Line>)]) -> Option<String> {
    let judged = || runs.iter().filter(|(allocator, _)| !allocator.is_limit());
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
    fn an_allocator_that_fails_is_not_run_again() {
        let mut failures = BTreeMap::new();
        let run = |allocator| match allocator {
            Allocator::Glibc => anyhow::bail!("it fell"),
            _ => Ok(line("0x1", &[])),
        };
        for _ in 0..2 {
            let round = one_round(&[Allocator::Glibc, Allocator::Gleaner], &mut failures, run);
            assert_eq!(round, [(Allocator::Gleaner, line("0x1", &[]))]);
        }
        assert_eq!(failures.into_values().collect::<Vec<_>>(), ["glibc: it fell"]);
    }

    #[test]
    fn time_that_nobody_used_is_left_aside() {
        assert_eq!(parse_busy_seconds("cpu  100 20 3 9999 888 4 5 68 0 0\ncpu0 1\n"), Some(2.0));
        assert_eq!(parse_busy_seconds("cpu  100 20\n"), None);
        assert_eq!(parse_busy_seconds("intr 5\n"), None);
    }

    #[test]
    fn without_runs_nothing_differs() {
        assert_eq!(differing_checksums(&[(Allocator::Gleaner, Vec::new())]), None);
    }
}
