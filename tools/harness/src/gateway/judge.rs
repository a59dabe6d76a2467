//! The judge: what has to be true of the two runs, each with its figure and its limit.
//!
//! Live memory is what the gateway says it keeps: the sizes it asked of malloc for sessions, ledger and hash chains,
//! and nothing for code, stacks, buffers or any malloc's rounding. It is the strictest reading, and both runs must say
//! the same. Peaks are the kernel's own, over the life of the process, so none falls between two samples.

use serde::Serialize;

use super::run::Run;
use crate::figures::{MIB, median};

/// Fewer forgotten bytes show nothing.
const FORGOTTEN_LEAST: f64 = 300e6;
/// Fewer kept bytes are no work for a collector.
const KEPT_LEAST: f64 = 64e6;
/// By how much the last quarter may differ from the second.
const DRIFT_MOST: f64 = 0.10;
/// The peak may be this many times what is live …
const LIVE_FACTOR: f64 = 1.5;
/// … and this many bytes more.
const LIVE_EXTRA: f64 = 16.0 * MIB;
/// Fewer collections show nothing.
const COLLECTIONS_LEAST: usize = 20;
/// The share of the forgotten bytes by which memory must grow where nobody collects.
const GROWTH_LEAST: f64 = 0.90;
/// Gleaner's throughput as a share of glibc's.
const RATIO_LEAST: f64 = 0.98;
/// Fewer pairs are no measurement of throughput.
const PAIRS_LEAST: usize = 5;
/// The two runs of the demonstration together, in seconds.
const SECONDS_MOST: f64 = 120.0;

/// The most that may be resident under gleaner with this much live.
pub fn resident_most(kept_bytes: u64) -> f64 {
    LIVE_FACTOR * kept_bytes as f64 + LIVE_EXTRA
}

/// Requests a second of one pair of runs, one after the other.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Pair {
    /// On glibc's malloc.
    pub glibc: f64,
    /// On gleaner.
    pub gleaner: f64,
}

/// The throughput of several pairs.
#[derive(Clone, Debug, Serialize)]
pub struct Throughput {
    /// The median of the ratios taken within a pair, whose sides saw the machine at nearly the same time.
    pub ratio: f64,
    /// The smallest ratio of a pair.
    pub ratio_least: f64,
    /// The largest ratio of a pair.
    pub ratio_most: f64,
    /// The pairs, in the order in which they ran.
    pub pairs: Vec<Pair>,
}

impl Throughput {
    /// Makes the ratios of some pairs.
    pub fn of(pairs: Vec<Pair>) -> Self {
        let ratios: Vec<_> = pairs.iter().map(|pair| pair.gleaner / pair.glibc).collect();
        Throughput {
            ratio: median(&ratios),
            ratio_least: ratios.iter().copied().fold(f64::INFINITY, f64::min),
            ratio_most: ratios.iter().copied().fold(0.0, f64::max),
            pairs,
        }
    }
}

/// One thing that was asked, and the answer.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// What was asked.
    pub question: &'static str,
    /// The figure, and what it must be.
    pub figures: String,
    /// Whether it is so; none when it cannot be told from these runs.
    pub holds: Option<bool>,
}

/// Judges the two runs, of `seconds` together, and the throughput.
pub fn judge(glibc: &Run, gleaner: &Run, throughput: &Throughput, seconds: f64) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    let mut ask = |question, holds, figures| verdicts.push(Verdict { question, figures, holds });

    let (kept, forgotten) = (gleaner.kept_bytes as f64, gleaner.forgotten_bytes as f64);
    ask(
        "the gateway keeps enough alive",
        Some(glibc.kept_bytes == gleaner.kept_bytes && kept >= KEPT_LEAST),
        format!(
            "{:.1} and {:.1} MB; alike, at least {:.0} MB",
            glibc.kept_bytes as f64 / 1e6,
            kept / 1e6,
            KEPT_LEAST / 1e6
        ),
    );
    ask(
        "it forgets enough",
        Some(forgotten >= FORGOTTEN_LEAST),
        format!("{:.1} MB; at least {:.0} MB", forgotten / 1e6, FORGOTTEN_LEAST / 1e6),
    );

    let (grown, grown_forgotten) = glibc.growth().unwrap_or((f64::NAN, f64::NAN));
    ask(
        "under glibc it grows by what it forgets",
        Some(grown >= GROWTH_LEAST * grown_forgotten),
        format!(
            "{:.1} MB resident for {:.1} MB forgotten from the second quarter on; at least {:.0} %",
            grown / 1e6,
            grown_forgotten / 1e6,
            100.0 * GROWTH_LEAST
        ),
    );

    let (second, last) = (gleaner.quarter_mean(2), gleaner.quarter_mean(4));
    let drift = last / second - 1.0;
    ask(
        "under gleaner it stays flat",
        Some(drift.abs() <= DRIFT_MOST),
        format!(
            "mean {:.1} MiB in the second quarter, {:.1} MiB in the last: {:+.1} %; within {:.0} %",
            second / MIB,
            last / MIB,
            100.0 * drift,
            100.0 * DRIFT_MOST
        ),
    );
    let (peak, most) = (gleaner.resident_peak_bytes as f64, resident_most(gleaner.kept_bytes));
    ask(
        "under gleaner it stays small",
        Some(peak <= most),
        format!(
            "peak {:.1} MiB with {:.1} MiB live; at most {LIVE_FACTOR} x live + {:.0} MiB = {:.1} MiB",
            peak / MIB,
            kept / MIB,
            LIVE_EXTRA / MIB,
            most / MIB
        ),
    );
    ask(
        "gleaner collects often enough to judge",
        Some(gleaner.trace.collections.len() >= COLLECTIONS_LEAST),
        format!("{} collections; at least {COLLECTIONS_LEAST}", gleaner.trace.collections.len()),
    );

    ask(
        "gleaner is as fast as glibc",
        (throughput.pairs.len() >= PAIRS_LEAST).then_some(throughput.ratio >= RATIO_LEAST),
        format!(
            "{:.3} of its requests a second, {:.3} to {:.3} in {}; at least {RATIO_LEAST} over {PAIRS_LEAST} pairs",
            throughput.ratio,
            throughput.ratio_least,
            throughput.ratio_most,
            if throughput.pairs.len() == 1 {
                "one pair".to_owned()
            } else {
                format!("{} pairs", throughput.pairs.len())
            },
        ),
    );
    ask(
        "it does not take long",
        Some(seconds <= SECONDS_MOST),
        format!("{seconds:.1} s; at most {SECONDS_MOST:.0} s for one run on each"),
    );
    verdicts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::meter::{Cause, Sample};
    use crate::trace::{Collection, Trace};

    /// A run of 80 requests whose resident memory at each of 80 counts is given.
    fn run(malloc: &'static str, collections: usize, resident: impl Fn(u64) -> u64) -> Run {
        let collection = Collection { number: 1, pause_us: 1, live_bytes: 1, reclaimed_bytes: 1 };
        let sample = |requests| Sample {
            seconds: requests as f64,
            requests,
            resident_bytes: resident(requests),
            cause: Cause::Count,
        };
        let samples: Vec<_> = (1..=80).map(sample).collect();
        Run {
            malloc,
            seconds: 80.0,
            requests: 80,
            payments: 8_000_000,
            forgotten_bytes: 400_000_000,
            kept_bytes: 70_000_000,
            resident_first_bytes: resident(0),
            resident_last_bytes: resident(80),
            resident_peak_bytes: samples.iter().map(|sample| sample.resident_bytes).max().unwrap(),
            proportional_last_bytes: resident(80),
            gateway_cpu_seconds: 60.0,
            load_cpu_seconds: 20.0,
            response_median_ns: 1,
            response_p99_ns: 2,
            response_longest_ns: 3,
            samples,
            trace: Trace { collections: vec![collection; collections], ..Trace::default() },
        }
    }

    fn growing() -> Run {
        run("glibc", 0, |requests| 80_000_000 + 5_000_000 * requests)
    }

    fn flat() -> Run {
        run("gleaner", 20, |requests| 90_000_000 + 1_000_000 * (requests % 10))
    }

    fn pairs(count: usize, gleaner: f64) -> Throughput {
        Throughput::of(vec![Pair { glibc: 1000.0, gleaner }; count])
    }

    /// The questions that were answered with no.
    fn short(glibc: &Run, gleaner: &Run, throughput: &Throughput) -> Vec<&'static str> {
        let verdicts = judge(glibc, gleaner, throughput, 60.0);
        verdicts.iter().filter(|verdict| verdict.holds == Some(false)).map(|verdict| verdict.question).collect()
    }

    #[test]
    fn good_runs_fall_short_of_nothing() {
        assert!(short(&growing(), &flat(), &pairs(5, 980.0)).is_empty());
    }

    #[test]
    fn each_shortfall_is_named() {
        let throughput = pairs(5, 1000.0);
        let named = |glibc: &Run, gleaner: &Run, expected: &str| {
            assert_eq!(short(glibc, gleaner, &throughput), [expected]);
        };
        let slowly_growing = run("gleaner", 20, |requests| 80_000_000 + 300_000 * requests);
        named(&growing(), &slowly_growing, "under gleaner it stays flat");
        let large = run("gleaner", 20, |requests| if requests == 3 { 122_000_000 } else { 90_000_000 });
        named(&growing(), &large, "under gleaner it stays small");
        let idle = run("gleaner", 19, |_| 90_000_000);
        named(&growing(), &idle, "gleaner collects often enough to judge");
        let no_leak = run("glibc", 0, |requests| 80_000_000 + 4_000_000 * requests);
        named(&no_leak, &flat(), "under glibc it grows by what it forgets");
        let forgets_little = Run { forgotten_bytes: 299_000_000, ..flat() };
        named(&growing(), &forgets_little, "it forgets enough");
        let keeps_other = Run { kept_bytes: 70_000_001, ..flat() };
        named(&growing(), &keeps_other, "the gateway keeps enough alive");
        assert_eq!(short(&growing(), &flat(), &pairs(5, 979.0)), ["gleaner is as fast as glibc"]);
        let slow = judge(&growing(), &flat(), &throughput, 121.0);
        assert_eq!(slow.last().unwrap().holds, Some(false));
    }

    #[test]
    fn throughput_is_not_judged_by_few_pairs() {
        let verdicts = judge(&growing(), &flat(), &pairs(4, 500.0), 60.0);
        let speed = verdicts.iter().find(|verdict| verdict.question == "gleaner is as fast as glibc").unwrap();
        assert_eq!(speed.holds, None);
    }

    #[test]
    fn a_run_without_samples_is_not_flat() {
        let blind = Run { samples: Vec::new(), ..flat() };
        assert_eq!(short(&growing(), &blind, &pairs(5, 1000.0)), ["under gleaner it stays flat"]);
    }

    #[test]
    fn the_ratio_is_the_median_of_the_pairs() {
        // The medians of the columns, 220 and 200, would say 1.1.
        let pairs = [(100.0, 90.0), (200.0, 220.0), (300.0, 300.0)];
        let throughput = Throughput::of(pairs.map(|(glibc, gleaner)| Pair { glibc, gleaner }).to_vec());
        assert_eq!((throughput.ratio, throughput.ratio_least, throughput.ratio_most), (1.0, 0.9, 1.1));
    }
}
