//! The line of figures that a workload prints: `name: allocator=A threads=2 seconds=0.913 checksum=0x… …`.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde::Serialize;

/// The figures that every line has. What a line has beyond them is the workload's own.
pub const COMMON: [&str; 10] = [
    "threads",
    "seconds",
    "cpu_seconds",
    "collections",
    "pause_total_us",
    "pause_longest_us",
    "peak_rss_kb",
    "operations",
    "ns",
    OTHERS,
];

/// The CPU seconds of other processes, and of other machines on the same processors, while a run went on. The harness
/// adds them to the line.
pub const OTHERS: &str = "others_cpu_seconds";

/// Several threads that used less CPU time than this times their wall time had one core, or waited for each other.
const ONE_CORE: f64 = 1.3;
/// Neighbours that used more than this share of a core took one; less is what a quiet system does.
const NEIGHBOUR: f64 = 0.2;

/// What one run of a program came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// The same on every allocator.
    pub checksum: String,
    /// All numbers by their key.
    pub figures: BTreeMap<String, f64>,
}

impl Line {
    /// Reads what a program wrote to stdout, which is this line and nothing else.
    pub fn parse(stdout: &str) -> Result<Self> {
        let (line, rest) = stdout.split_once('\n').context("it is not ended")?;
        ensure!(rest.is_empty(), "more follows: {rest:?}");
        let (_, words) = line.split_once(": ").context("there is no name before a colon")?;
        let (mut checksum, mut figures) = (None, BTreeMap::new());
        for word in words.split_ascii_whitespace() {
            let (key, value) = word.split_once('=').with_context(|| format!("{word:?} is no key=value"))?;
            match key {
                "allocator" => {}
                "checksum" => checksum = Some(value.to_owned()),
                _ => {
                    let value = value.parse().with_context(|| format!("{key}={value} is no number"))?;
                    figures.insert(key.to_owned(), value);
                }
            }
        }
        let line = Line { checksum: checksum.context("there is no checksum=")?, figures };
        for key in ["threads", "seconds", "cpu_seconds", "collections", "pause_longest_us", "peak_rss_kb"] {
            line.figure(key)?;
        }
        Ok(line)
    }

    /// One figure.
    pub fn figure(&self, key: &str) -> Result<f64> {
        self.figures.get(key).copied().with_context(|| format!("there is no {key}="))
    }

    /// Whether several threads had no more than one core between them while a neighbour was busy. Threads that use one
    /// core on a quiet machine wait for each other, which is theirs to answer for.
    pub fn lost_a_core(&self) -> bool {
        let figure = |key| self.figures.get(key).copied().unwrap_or(0.0);
        let seconds = figure("seconds");
        figure("threads") > 1.0 && figure("cpu_seconds") < ONE_CORE * seconds && figure(OTHERS) > NEIGHBOUR * seconds
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A line with some figures of interest.
    pub fn line(checksum: &str, figures: &[(&str, f64)]) -> Line {
        Line {
            checksum: checksum.to_owned(),
            figures: figures.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect(),
        }
    }

    #[test]
    fn a_line_is_read_by_key() {
        let text = "list: allocator=gleaner threads=2 seconds=0.913 cpu_seconds=1.790 checksum=0xab collections=57 \
                    pause_longest_us=812 peak_rss_kb=90120 order=1\n";
        let line = Line::parse(text).unwrap();
        assert_eq!(line.checksum, "0xab");
        assert_eq!((line.figure("seconds").unwrap(), line.figure("order").unwrap()), (0.913, 1.0));
        assert!(!line.lost_a_core());
    }

    #[test]
    fn a_line_that_lacks_something_is_refused() {
        let error = |text: &str| format!("{:#}", Line::parse(text).unwrap_err());
        assert!(error("x: checksum=0x0 threads=1\n").contains("no seconds="));
        assert!(error("x: threads=1\n").contains("no checksum="));
        assert!(error("x: threads=one checksum=0x0\n").contains("threads=one is no number"));
        assert!(error("killed\n").contains("no name"));
        assert!(error("x: checksum=0x0").contains("not ended"));
        assert!(error("x: checksum=0x0\ny\n").contains("more follows"));
    }

    #[test]
    fn two_threads_on_one_core_are_noticed() {
        let lost = |threads, cpu, others| {
            let figures = [("threads", threads), ("seconds", 1.0), ("cpu_seconds", cpu), (OTHERS, others)];
            line("0x0", &figures).lost_a_core()
        };
        assert!(lost(2.0, 1.05, 0.9));
        assert!(!lost(2.0, 1.05, 0.02), "they waited for each other");
        assert!(!lost(2.0, 1.9, 0.9));
        assert!(!lost(1.0, 1.0, 0.9));
    }
}
