//! `bench --pace`: what a program takes in time and in memory at each pace, in turn, drawn as time against the peak of the
//! resident set. Peers that free by hand, and another collector, stand beside as points.

mod plot;

use std::path::Path;

use anyhow::{Context, Result, anyhow};

use super::allocators::Allocator::{self, *};
use super::build::Places;
use super::constrained::Surroundings;
use super::line::Line;
use super::report::short;
use super::rounds;
use super::summary::Spread;
use super::workloads::{Workload, named};

/// The workloads that are drawn: trees of every age, and short-lived trees beside one that lives.
const WORKLOADS: [&str; 2] = ["gcbench-large", "binary-trees-1-thread"];
/// No pace is set: the library follows what collecting costs.
const DEFAULT: &str = "default";
/// The paces, and the option that sets each.
const PACES: [(&str, &str); 7] = [
    (DEFAULT, ""),
    ("0.25", "pace=0.25"),
    ("0.5", "pace=0.5"),
    ("1", "pace=1"),
    ("2", "pace=2"),
    ("4", "pace=4"),
    ("8", "pace=8"),
];
/// Who stands beside.
const PEERS: [Allocator; 3] = [Bdwgc1, Mimalloc, Glibc];

/// A program at one pace, or on a peer.
struct Point {
    name: String,
    is_ours: bool,
    seconds: Spread,
    peak_mb: f64,
    collections: f64,
    /// The pauses all together, in seconds.
    paused: f64,
}

/// Measures, prints a table, and draws into `file`.
pub fn run(places: &Places, rounds: usize, file: &Path) -> Result<()> {
    println!("| workload | pace | time, s | peak RSS, MB | collections | pauses, s |\n|---|---|---|---|---|---|");
    let mut panels = Vec::new();
    for name in WORKLOADS {
        let workload = named(name).context("there is no such workload")?;
        eprintln!("gleaner-harness: bench: {name} at {} paces", PACES.len());
        let points = measure(places, workload, rounds)?;
        points.iter().for_each(|point| print(name, point));
        panels.push((name, points));
    }
    plot::draw(&panels, file)
        .map_err(|error| anyhow!("{error}"))
        .with_context(|| format!("{} cannot be drawn", file.display()))?;
    eprintln!("gleaner-harness: bench: drawn in {}", file.display());
    Ok(())
}

fn print(workload: &str, point: &Point) {
    let Spread { median, least, most } = point.seconds;
    println!(
        "| {workload} | {} | {median:.2} ({least:.2} to {most:.2}) | {} | {:.0} | {:.2} |",
        point.name,
        short(point.peak_mb),
        point.collections,
        point.paused,
    );
}

/// All paces and peers in turn.
fn measure(places: &Places, workload: &Workload, rounds: usize) -> Result<Vec<Point>> {
    let ours = PACES.map(|(pace, option)| (pace.to_owned(), Gleaner, option));
    let peers = PEERS.map(|peer| (peer.name(), peer, ""));
    let mut runs: Vec<_> = ours.into_iter().chain(peers).map(|run| (run, Vec::new())).collect();
    for _ in 0..rounds {
        for ((_, allocator, option), lines) in &mut runs {
            places.compile(workload.program, allocator.binding())?;
            let surroundings = Surroundings::with_option(option);
            lines.push(rounds::run(places, workload.program, *allocator, &workload.words(false), &surroundings)?);
        }
    }
    runs.into_iter().map(|((name, allocator, _), lines)| Point::of(name, allocator == Gleaner, &lines)).collect()
}

impl Point {
    fn of(name: String, is_ours: bool, lines: &[Line]) -> Result<Point> {
        let all =
            |key| lines.iter().map(|line| line.figure(key)).collect::<Result<Vec<_>>>().map(|all| Spread::of(&all));
        Ok(Point {
            name,
            is_ours,
            seconds: all("seconds")?,
            peak_mb: all("peak_rss_kb")?.median * 1024.0 / 1e6,
            collections: all("collections")?.median,
            paused: all("pause_total_us")?.median / 1e6,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::tests::line;
    use super::*;

    #[test]
    fn a_point_is_made_of_medians() {
        let run = |seconds, peak| {
            let figures =
                [("seconds", seconds), ("peak_rss_kb", peak), ("collections", 4.0), ("pause_total_us", 500_000.0)];
            line("0x1", &figures)
        };
        let lines = [run(1.0, 1000.0), run(9.0, 3000.0), run(2.0, 2000.0)];
        let point = Point::of("2".to_owned(), true, &lines).unwrap();
        assert_eq!((point.seconds.median, point.peak_mb, point.collections, point.paused), (2.0, 2.048, 4.0, 0.5));
        assert!(Point::of("2".to_owned(), true, &[line("0x1", &[])]).is_err());
    }

    #[test]
    fn the_workloads_and_those_beside_are_there() {
        for name in WORKLOADS {
            let workload = named(name).unwrap();
            assert!(PEERS.iter().all(|peer| workload.allocators.contains(peer)), "{name}");
        }
    }
}
