//! `bench --check`: measures what a promise speaks of, prints each figure with its goal, and says whether it holds.

use std::fmt::Write;

use anyhow::Result;

use super::build::Places;
use super::judge::{self, Judged, Verdict};
use super::promises::Promise;
use super::report::short;
use super::rounds::{self, Measured, Rounds};
use crate::figures::grouped;

/// The head of the table.
const HEAD: &str = "\
| workload | figure | ours | beside | ratio | goal | collections | verdict |
|---|---|---|---|---|---|---|---|
";

/// What came of a promise.
pub struct Checked {
    /// The text to be shown.
    pub text: String,
    /// All that was measured.
    pub measured: Vec<Measured>,
    /// How it stands as a whole.
    pub outcome: Outcome,
}

/// How a promise stands as a whole, better ones first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// All of it holds.
    Holds,
    /// What was measured holds, but something was not measured.
    NotMeasured,
    /// Something falls short, or a program failed.
    FallsShort,
}

/// Measures and judges a promise.
pub fn check(places: &Places, promise: &Promise, counted: usize, quick: bool) -> Result<Checked> {
    let mut measured = Vec::new();
    for (workload, wanted) in promise.workloads() {
        eprintln!("gleaner-harness: bench: {} {}", workload.name, workload.words(quick).join(" "));
        measured.push(rounds::measure(places, workload, &wanted, Rounds { counted, again: counted }, quick)?);
    }
    let judged = judge::judge(promise, &measured, counted);
    let failures: Vec<_> =
        measured.iter().flat_map(|m| m.failures.iter().map(|what| (m.workload.name, what))).collect();
    let outcome = outcome(&judged, !failures.is_empty());
    let mut text = format!("## {}\n\n{}\n\n{HEAD}", promise.name, promise.says);
    judged.iter().for_each(|judged| text += &line(judged));
    failures.iter().for_each(|(workload, what)| _ = write!(text, "\nFAILED: {workload}: {what}\n"));
    _ = write!(text, "\n{}: {}\n", promise.name, summary(&judged, outcome));
    Ok(Checked { text, measured, outcome })
}

/// The worst of all verdicts.
fn outcome(judged: &[Judged], failed: bool) -> Outcome {
    let of = |judged: &Judged| match judged.verdict {
        Verdict::Holds => Outcome::Holds,
        Verdict::NotMeasured(_) => Outcome::NotMeasured,
        Verdict::FallsShort => Outcome::FallsShort,
    };
    let worst = judged.iter().map(of).max().unwrap_or(Outcome::NotMeasured);
    if failed { Outcome::FallsShort } else { worst }
}

/// One line of the table.
fn line(judged: &Judged) -> String {
    let of = |figure: Option<f64>, allocator: String| match figure {
        Some(figure) => format!("{allocator} {}", short(figure)),
        None => allocator,
    };
    let peer = judged.peer.map_or(String::new(), |peer| of(judged.figures.1, peer.name()));
    let value = match (judged.value, judged.peer) {
        (Some(value), Some(_)) => format!("{:.2} ({:.2} to {:.2})", value.median, value.least, value.most),
        (Some(value), None) => format!("{} ({} to {})", short(value.median), short(value.least), short(value.most)),
        (None, _) => String::new(),
    };
    let count = |collections: Option<f64>| collections.map(|collections| grouped(collections as u64));
    let collections = [count(judged.collections.0), count(judged.collections.1)];
    let verdict = match &judged.verdict {
        Verdict::Holds => "HOLDS".to_owned(),
        Verdict::FallsShort => "FALLS SHORT".to_owned(),
        Verdict::NotMeasured(why) => format!("NOT MEASURED: {why}"),
    };
    format!(
        "| {} | {} | {} | {peer} | {value} | {} | {} | {verdict} |\n",
        judged.on,
        judged.unit,
        of(judged.figures.0, judged.ours.name()),
        judged.goal,
        collections.into_iter().flatten().collect::<Vec<_>>().join(" : "),
    )
}

/// How many hold, and what the whole comes to.
fn summary(judged: &[Judged], outcome: Outcome) -> String {
    let hold = judged.iter().filter(|judged| judged.verdict == Verdict::Holds).count();
    let word = match outcome {
        Outcome::Holds => "HOLDS",
        Outcome::NotMeasured => "NOT MEASURED in full",
        Outcome::FallsShort => "FALLS SHORT",
    };
    format!("{hold} of {} rows hold: {word}", judged.len())
}

#[cfg(test)]
mod tests {
    use super::super::allocators::Allocator;
    use super::super::summary::Spread;
    use super::*;

    fn judged(verdict: Verdict) -> Judged {
        Judged {
            on: "leaky".to_owned(),
            ours: Allocator::GleanerMalloc,
            peer: Some(Allocator::Glibc),
            figures: (Some(300.04), Some(400.0)),
            unit: "ns",
            value: Some(Spread { median: 0.75, least: 0.7, most: 0.8 }),
            collections: (Some(1234.0), Some(0.0)),
            goal: "below 1.00".to_owned(),
            verdict,
        }
    }

    #[test]
    fn the_worst_verdict_is_that_of_the_whole() {
        let of = |verdicts: &[Verdict], failed| {
            outcome(&verdicts.iter().map(|verdict| judged(verdict.clone())).collect::<Vec<_>>(), failed)
        };
        let unknown = || Verdict::NotMeasured("why".to_owned());
        assert_eq!(of(&[Verdict::Holds, Verdict::Holds], false), Outcome::Holds);
        assert_eq!(of(&[Verdict::Holds, unknown()], false), Outcome::NotMeasured);
        assert_eq!(of(&[Verdict::FallsShort, unknown(), Verdict::Holds], false), Outcome::FallsShort);
        assert_eq!(of(&[Verdict::Holds], true), Outcome::FallsShort);
        assert_eq!(of(&[], false), Outcome::NotMeasured);
    }

    #[test]
    fn a_line_shows_both_figures_the_goal_and_the_collections() {
        assert_eq!(
            line(&judged(Verdict::Holds)),
            "| leaky | ns | gleaner-malloc 300 | glibc 400 | 0.75 (0.70 to 0.80) | below 1.00 | 1,234 : 0 | HOLDS |\n"
        );
        let unknown = Judged { value: None, figures: (None, None), ..judged(Verdict::NotMeasured("why".to_owned())) };
        assert!(
            line(&unknown).contains("| gleaner-malloc | glibc |  |") && line(&unknown).contains("NOT MEASURED: why")
        );
    }
}
