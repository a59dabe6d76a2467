//! Judging: whether what was measured keeps a promise.
//!
//! A ratio is taken within each round; then comes the median. What was run too few times, or not at all, keeps nothing and
//! breaks nothing: it is not measured.

use super::allocators::Allocator;
use super::promises::{Beside, Clause, Promise, What};
use super::rounds::Measured;
use super::summary::{Spread, ratios};
use super::workloads::Workload;
use crate::figures::geometric_mean;

/// How a clause stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It is kept.
    Holds,
    /// It is not.
    FallsShort,
    /// Nobody knows, and why.
    NotMeasured(String),
}

/// A clause on one workload, or on the mean of all.
#[derive(Debug)]
pub struct Judged {
    /// The workload, or of how many the mean is.
    pub on: String,
    /// Whose figure.
    pub ours: Allocator,
    /// The one it is divided by, if any.
    pub peer: Option<Allocator>,
    /// Our median and the peer's, in their unit; none for a mean.
    pub figures: (Option<f64>, Option<f64>),
    /// The unit of both.
    pub unit: &'static str,
    /// What is judged: the ratio over all rounds, or the figure itself.
    pub value: Option<Spread>,
    /// Collections of ours and of the peer: medians; none for a mean.
    pub collections: (Option<f64>, Option<f64>),
    /// What it may be.
    pub goal: String,
    /// How it stands.
    pub verdict: Verdict,
}

/// All clauses of a promise, by what was measured in at least `rounds` rounds.
pub fn judge(promise: &Promise, measured: &[Measured], rounds: usize) -> Vec<Judged> {
    promise.clauses.iter().flat_map(|clause| clause.judge(measured, rounds)).collect()
}

/// A clause on one workload, measured.
struct Case<'a> {
    clause: &'a Clause,
    measured: &'a Measured,
    peer: Option<Allocator>,
}

impl Clause {
    fn judge(&self, measured: &[Measured], rounds: usize) -> Vec<Judged> {
        let cases = self.on.workloads().map(|workload| (workload, self.case(workload, measured, rounds)));
        if self.is_mean {
            return vec![self.judge_mean(cases.collect())];
        }
        let one = |(workload, case): (&Workload, Result<Case, String>)| match case {
            Ok(case) => case.judge(),
            Err(why) => self.not_measured(workload.name.to_owned(), why),
        };
        cases.map(one).collect()
    }

    /// What was measured of a workload, if that is enough to judge by.
    fn case<'a>(&'a self, workload: &Workload, measured: &'a [Measured], rounds: usize) -> Result<Case<'a>, String> {
        let found = measured.iter().find(|measured| measured.workload.name == workload.name);
        let measured = found.ok_or("it was not run")?;
        for allocator in self.allocators() {
            match measured.lines(allocator).len() {
                lines if lines < rounds && measured.again > rounds => {
                    return Err(format!("{lines} of {rounds} rounds had all their cores, {} did not", measured.again));
                }
                lines if lines < rounds => return Err(format!("{} failed", allocator.name())),
                _ => {}
            }
        }
        Ok(Case { clause: self, measured, peer: self.peer(measured) })
    }

    /// The one to divide by.
    fn peer(&self, measured: &Measured) -> Option<Allocator> {
        let least = |peers: &[Allocator], what: What| {
            let of = |allocator| figure(measured, allocator, what).map_or(f64::INFINITY, |spread| spread.median);
            peers.iter().copied().min_by(|a, b| of(*a).total_cmp(&of(*b)))
        };
        match self.beside {
            Beside::Itself => None,
            Beside::Peer(peer) => Some(peer),
            Beside::Best(peers) => least(peers, self.what),
            Beside::Fastest(peers) => least(peers, What::Time),
        }
    }

    /// The geometric mean of the ratios on all workloads. Without one of them there is none.
    fn judge_mean(&self, cases: Vec<(&Workload, Result<Case, String>)>) -> Judged {
        let on = format!("geometric mean of {}", cases.len());
        let mut values = Vec::new();
        for (workload, case) in cases {
            match case.and_then(|case| case.value().ok_or_else(|| "a figure is missing".to_owned())) {
                Ok(value) => values.push(value.median),
                Err(why) => return self.not_measured(on, format!("{}: {why}", workload.name)),
            }
        }
        let mean = geometric_mean(&values);
        let value = Spread { median: mean, ..Spread::of(&values) };
        Judged { value: Some(value), verdict: self.verdict(mean), ..self.not_measured(on, String::new()) }
    }

    fn verdict(&self, value: f64) -> Verdict {
        if self.goal.is_kept_by(value) { Verdict::Holds } else { Verdict::FallsShort }
    }

    fn not_measured(&self, on: String, why: String) -> Judged {
        let peer = match self.beside {
            Beside::Peer(peer) => Some(peer),
            _ => None,
        };
        let unit = match self.what {
            What::Time => "time",
            What::Memory => "MB peak",
            What::Collections => "collections",
            What::Own(_, _, unit) => unit,
        };
        let verdict = Verdict::NotMeasured(why);
        let (figures, collections, value) = ((None, None), (None, None), None);
        Judged { on, ours: self.ours, peer, figures, unit, value, collections, goal: self.goal.to_string(), verdict }
    }
}

impl Case<'_> {
    fn judge(&self) -> Judged {
        let (clause, measured) = (self.clause, self.measured);
        let middle = |allocator, what| figure(measured, allocator, what).map(|spread| spread.median);
        let both = |what| (middle(clause.ours, what), self.peer.and_then(|peer| middle(peer, what)));
        let on = measured.workload.name.to_owned();
        let value = self.value();
        let verdict = match value {
            // One run without a collection is one too many.
            Some(value) if matches!(clause.what, What::Collections) => clause.verdict(value.least),
            Some(value) => clause.verdict(value.median),
            None => Verdict::NotMeasured("a figure is missing".to_owned()),
        };
        Judged {
            peer: self.peer,
            figures: both(clause.what),
            unit: clause.what.on(measured.workload).2,
            value,
            collections: both(What::Collections),
            verdict,
            ..clause.not_measured(on, String::new())
        }
    }

    /// What is judged.
    fn value(&self) -> Option<Spread> {
        let (clause, measured) = (self.clause, self.measured);
        let Some(peer) = self.peer else { return figure(measured, clause.ours, clause.what) };
        let ratios = ratios(measured, clause.ours, peer, clause.what.on(measured.workload).0);
        (!ratios.is_empty()).then(|| Spread::of(&ratios))
    }
}

/// A figure of one allocator over all rounds, in its unit.
fn figure(measured: &Measured, allocator: Allocator, what: What) -> Option<Spread> {
    let (key, scale, _) = what.on(measured.workload);
    let values: Vec<_> =
        measured.lines(allocator).iter().filter_map(|line| Some(line.figure(key).ok()? * scale)).collect();
    (!values.is_empty()).then(|| Spread::of(&values))
}

#[cfg(test)]
mod tests {
    use super::super::allocators::Allocator::*;
    use super::super::line::tests::line;
    use super::super::promises::{Goal, On};
    use super::super::workloads::named;
    use super::*;

    const TREES: On = On::Each(&["gcbench-1-thread"]);

    /// Runs of gcbench: for each allocator, seconds and peak in KiB of each round.
    fn measured(runs: &[(Allocator, &[(f64, f64)])]) -> Vec<Measured> {
        let line = |(seconds, peak): &(f64, f64)| {
            let collections = if *peak > 150.0 { 0.0 } else { 7.0 };
            line("0x1", &[("seconds", *seconds), ("peak_rss_kb", *peak), ("collections", collections)])
        };
        let runs = runs.iter().map(|(allocator, values)| (*allocator, values.iter().map(line).collect())).collect();
        let workload = named("gcbench-1-thread").unwrap();
        vec![Measured { workload, arguments: Vec::new(), runs, failures: Vec::new(), again: 0 }]
    }

    fn clause(what: What, beside: Beside, goal: Goal) -> Clause {
        Clause { on: TREES, is_mean: false, ours: Gleaner, what, beside, goal }
    }

    fn verdicts(clause: Clause, measured: &[Measured]) -> Vec<Verdict> {
        clause.judge(measured, 3).into_iter().map(|judged| judged.verdict).collect()
    }

    #[test]
    fn a_row_that_falls_short_is_found() {
        // The second round met a slow machine; within each round the ratio is 0.5.
        let measured = measured(&[
            (Gleaner, &[(1.0, 100.0), (10.0, 100.0), (1.0, 100.0)]),
            (Glibc, &[(2.0, 100.0), (20.0, 100.0), (2.0, 100.0)]),
        ]);
        let at_most = |most| verdicts(clause(What::Time, Beside::Peer(Glibc), Goal::AtMost(most)), &measured);
        assert_eq!(at_most(0.5), [Verdict::Holds]);
        assert_eq!(at_most(0.49), [Verdict::FallsShort]);
    }

    #[test]
    fn the_best_peer_is_that_of_the_figure_and_the_fastest_that_of_time() {
        // The first marker is faster and takes more memory than the second.
        let measured =
            measured(&[(Gleaner, &[(1.0, 100.0); 3]), (Bdwgc1, &[(2.0, 400.0); 3]), (Bdwgc2, &[(4.0, 50.0); 3])]);
        let judged = |beside| clause(What::Memory, beside, Goal::AtMost(1.0)).judge(&measured, 3).remove(0);
        let (best, fastest) = (judged(Beside::Best(&[Bdwgc1, Bdwgc2])), judged(Beside::Fastest(&[Bdwgc1, Bdwgc2])));
        assert_eq!((best.peer, best.verdict), (Some(Bdwgc2), Verdict::FallsShort));
        assert_eq!((fastest.peer, fastest.verdict), (Some(Bdwgc1), Verdict::Holds));
    }

    #[test]
    fn a_figure_beside_nobody_is_judged_itself() {
        let measured = measured(&[(Gleaner, &[(1.0, 100.0), (1.0, 200.0), (1.0, 100.0)])]);
        let memory = |most| verdicts(clause(What::Memory, Beside::Itself, Goal::Below(most)), &measured);
        assert_eq!((memory(0.2), memory(0.1)), (vec![Verdict::Holds], vec![Verdict::FallsShort]));
        // One round in three made no collection.
        let collections = clause(What::Collections, Beside::Itself, Goal::AtLeast(1.0));
        assert_eq!(verdicts(collections, &measured), [Verdict::FallsShort]);
    }

    #[test]
    fn a_mean_is_over_all_workloads_or_there_is_none() {
        let both: &[(Allocator, &[(f64, f64)])] = &[(Gleaner, &[(3.0, 1.0); 3]), (Glibc, &[(2.0, 1.0); 3])];
        let mean = |goal| Clause { is_mean: true, ..clause(What::Time, Beside::Peer(Glibc), goal) };
        assert_eq!(verdicts(mean(Goal::AtMost(1.5)), &measured(both)), [Verdict::Holds]);
        assert_eq!(verdicts(mean(Goal::AtMost(1.4)), &measured(both)), [Verdict::FallsShort]);
        let two = Clause { on: On::Each(&["gcbench-1-thread", "leaky"]), ..mean(Goal::AtMost(9.0)) };
        assert_eq!(verdicts(two, &measured(both)), [Verdict::NotMeasured("leaky: it was not run".to_owned())]);
    }

    #[test]
    fn what_was_not_run_often_enough_is_not_judged() {
        let time = clause(What::Time, Beside::Peer(Glibc), Goal::AtMost(9.0));
        let mut few = measured(&[(Gleaner, &[(1.0, 1.0); 2]), (Glibc, &[(1.0, 1.0); 2])]);
        few[0].again = 4;
        let why = "2 of 3 rounds had all their cores, 4 did not";
        assert_eq!(verdicts(time, &few), [Verdict::NotMeasured(why.to_owned())]);
        let failed = measured(&[(Gleaner, &[(1.0, 1.0); 3]), (Glibc, &[])]);
        assert_eq!(verdicts(time, &failed), [Verdict::NotMeasured("glibc failed".to_owned())]);
        let lacks = clause(What::Own("stall_longest_us", 1.0, "us"), Beside::Itself, Goal::AtMost(9.0));
        let run = measured(&[(Gleaner, &[(1.0, 1.0); 3])]);
        assert_eq!(verdicts(lacks, &run), [Verdict::NotMeasured("a figure is missing".to_owned())]);
    }
}
