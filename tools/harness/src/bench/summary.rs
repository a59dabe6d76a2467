//! From runs to figures: medians with minimum and maximum, ratios taken within a round, and where gleaner stands.

use serde::Serialize;

use super::allocators::Allocator;
use super::line::{COMMON, Line};
use super::rounds::Measured;
use super::workloads::Figure;
use crate::figures::{geometric_mean, median};

/// A figure over all rounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The middle one.
    pub median: f64,
    /// The smallest.
    pub least: f64,
    /// The largest.
    pub most: f64,
}

impl Spread {
    /// Of some values; not numbers when there are none.
    pub fn of(values: &[f64]) -> Self {
        let fold = |pick: fn(f64, f64) -> f64| values.iter().copied().reduce(pick).unwrap_or(f64::NAN);
        Spread { median: median(values), least: fold(f64::min), most: fold(f64::max) }
    }
}

/// One allocator on one workload: a row of the table.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The workload's name.
    pub workload: &'static str,
    /// The allocator.
    pub allocator: Allocator,
    /// What is compared, in its unit.
    pub figure: Spread,
    /// What it is.
    #[serde(flatten)]
    pub unit: Figure,
    /// gleaner's figure by this one, the median of the rounds; none for itself.
    pub gleaner_by_this: Option<f64>,
    /// The same for gleaner's malloc.
    pub gleaner_malloc_by_this: Option<f64>,
    /// CPU seconds.
    pub cpu_seconds: f64,
    /// The peak of the resident set in MB.
    pub peak_rss_mb: f64,
    /// Collections.
    pub collections: f64,
    /// All pauses, in milliseconds.
    pub pause_total_ms: f64,
    /// The longest pause, in milliseconds.
    pub pause_longest_ms: f64,
    /// The workload's own figures that are not 0: medians by key.
    pub own: Vec<(String, f64)>,
    /// Rounds.
    pub rounds: usize,
    /// Rounds that lost a core to a neighbour.
    pub lost_a_core: usize,
}

/// The rows of a workload, one an allocator that was measured.
pub fn rows(measured: &Measured) -> Vec<Row> {
    let measured_runs = measured.runs.iter().filter(|(_, lines)| !lines.is_empty());
    measured_runs.map(|(allocator, lines)| row(measured, *allocator, lines)).collect()
}

/// One row.
fn row(measured: &Measured, allocator: Allocator, lines: &[Line]) -> Row {
    let unit = measured.workload.figure;
    let all = |key: &str| lines.iter().filter_map(|line| line.figure(key).ok()).collect::<Vec<_>>();
    let middle = |key: &str| if all(key).is_empty() { 0.0 } else { median(&all(key)) };
    let figures: Vec<_> = all(unit.key).iter().map(|value| value * unit.scale).collect();
    let own = lines[0].figures.keys().filter(|key| !COMMON.contains(&key.as_str()) && *key != unit.key);
    Row {
        workload: measured.workload.name,
        allocator,
        figure: Spread::of(&figures),
        unit,
        gleaner_by_this: ratio(measured, Allocator::Gleaner, allocator, unit.key),
        gleaner_malloc_by_this: ratio(measured, Allocator::GleanerMalloc, allocator, unit.key),
        cpu_seconds: middle("cpu_seconds"),
        peak_rss_mb: middle("peak_rss_kb") * 1024.0 / 1e6,
        collections: middle("collections"),
        pause_total_ms: middle("pause_total_us") / 1e3,
        pause_longest_ms: middle("pause_longest_us") / 1e3,
        own: own.map(|key| (key.clone(), middle(key))).filter(|(_, value)| *value != 0.0).collect(),
        rounds: lines.len(),
        lost_a_core: lines.iter().filter(|line| line.lost_a_core()).count(),
    }
}

/// A figure on one allocator by the same on another: taken within each round, then the median.
fn ratio(measured: &Measured, ours: Allocator, other: Allocator, key: &str) -> Option<f64> {
    let ratios = ratios(measured, ours, other, key);
    (ours != other && !ratios.is_empty()).then(|| median(&ratios))
}

/// A figure on one allocator by the same on another, one a round; none when either was not run.
pub fn ratios(measured: &Measured, ours: Allocator, other: Allocator, key: &str) -> Vec<f64> {
    let pairs = measured.lines(ours).iter().zip(measured.lines(other));
    pairs.filter_map(|(a, b)| Some(a.figure(key).ok()? / b.figure(key).ok()?)).collect()
}

/// How one of ours stands beside the best of its peers on a workload.
#[derive(Debug, PartialEq, Serialize)]
pub struct Standing {
    /// The workload's name.
    pub workload: &'static str,
    /// The peer with the least median.
    pub best: Allocator,
    /// Our figure by its figure.
    pub ratio: f64,
    /// Our peak of the resident set by its peak.
    pub rss_ratio: f64,
}

/// How `ours` stands beside the best of `peers` on each workload that has both, worst first.
pub fn standings(rows: &[Row], ours: Allocator, peers: fn(Allocator) -> bool) -> Vec<Standing> {
    let mut standings: Vec<_> = rows
        .iter()
        .filter(|row| row.allocator == ours)
        .filter_map(|own| {
            let others = rows.iter().filter(|row| row.workload == own.workload && peers(row.allocator));
            let best = others.min_by(|a, b| a.figure.median.total_cmp(&b.figure.median))?;
            let ratio = match ours {
                Allocator::GleanerMalloc => best.gleaner_malloc_by_this,
                _ => best.gleaner_by_this,
            }?;
            let rss_ratio = own.peak_rss_mb / best.peak_rss_mb;
            Some(Standing { workload: own.workload, best: best.allocator, ratio, rss_ratio })
        })
        .collect();
    standings.sort_by(|a, b| b.ratio.total_cmp(&a.ratio));
    standings
}

/// Geometric means over all workloads that gleaner's malloc and another one ran.
#[derive(Debug, PartialEq, Serialize)]
pub struct Means {
    /// The other one.
    pub peer: Allocator,
    /// Workloads whose figure is a time.
    pub workloads: usize,
    /// Our time by its time.
    pub time: f64,
    /// Our peak of the resident set by its peak, over all.
    pub rss: f64,
}

/// The means beside one malloc; none when nothing was run on both.
pub fn means(rows: &[Row], peer: Allocator) -> Option<Means> {
    let (mut times, mut sizes) = (Vec::new(), Vec::new());
    for row in rows.iter().filter(|row| row.allocator == peer) {
        let ours = |own: &&Row| own.workload == row.workload && own.allocator == Allocator::GleanerMalloc;
        let (Some(own), Some(ratio)) = (rows.iter().find(ours), row.gleaner_malloc_by_this) else { continue };
        sizes.push(own.peak_rss_mb / row.peak_rss_mb);
        if row.unit.is_time() {
            times.push(ratio);
        }
    }
    let (time, rss) = (geometric_mean(&times), geometric_mean(&sizes));
    (!times.is_empty()).then_some(Means { peer, workloads: times.len(), time, rss })
}

#[cfg(test)]
mod tests {
    use super::super::line::tests::line;
    use super::super::workloads::WORKLOADS;
    use super::*;

    /// A workload whose figure is `ns`, with the values of each allocator.
    fn measured(values: &[(Allocator, &[f64])]) -> Measured {
        let workload = &WORKLOADS[0];
        assert_eq!(workload.figure.key, "ns");
        let line = |ns: &f64| line("0x1", &[("ns", *ns), ("threads", 1.0), ("peak_rss_kb", 100.0 * ns), ("own", 7.0)]);
        let runs = values.iter().map(|(allocator, values)| (*allocator, values.iter().map(line).collect())).collect();
        Measured { workload, arguments: Vec::new(), runs, failures: Vec::new(), again: 0 }
    }

    #[test]
    fn a_spread_has_its_ends() {
        assert_eq!(Spread::of(&[3.0, 1.0, 2.0]), Spread { median: 2.0, least: 1.0, most: 3.0 });
        assert!(Spread::of(&[]).median.is_nan());
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        // The second round met a slow machine: the ratio of the medians would be 12 by 10.
        let ours: &[f64] = &[4.0, 40.0, 12.0];
        let peer: &[f64] = &[2.0, 20.0, 10.0];
        let rows = rows(&measured(&[(Allocator::GleanerMalloc, ours), (Allocator::Mimalloc, peer)]));
        assert_eq!(rows[1].gleaner_malloc_by_this, Some(2.0));
        assert_eq!((rows[0].gleaner_malloc_by_this, rows[1].gleaner_by_this), (None, None));
        assert_eq!(rows[1].figure, Spread { median: 10.0, least: 2.0, most: 20.0 });
        assert_eq!(rows[0].own, [("own".to_owned(), 7.0)]);
    }

    #[test]
    fn an_allocator_that_failed_has_no_row() {
        let rows = rows(&measured(&[(Allocator::GleanerMalloc, &[]), (Allocator::Mimalloc, &[2.0])]));
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].gleaner_malloc_by_this, None);
    }

    #[test]
    fn the_best_peer_is_the_one_to_beat() {
        let rows = rows(&measured(&[
            (Allocator::GleanerMalloc, &[3.0]),
            (Allocator::Mimalloc, &[6.0]),
            (Allocator::Jemalloc, &[2.0]),
        ]));
        let standings = standings(&rows, Allocator::GleanerMalloc, Allocator::is_other_malloc);
        assert_eq!(standings.len(), 1);
        assert_eq!((standings[0].best, standings[0].ratio), (Allocator::Jemalloc, 1.5));
        let beside = means(&rows, Allocator::Mimalloc).unwrap();
        assert_eq!((beside.workloads, beside.time, beside.rss), (1, 0.5, 0.5));
        assert_eq!(means(&rows, Allocator::Glibc), None);
    }
}
