//! What gleaner writes to stderr: one line a collection with `trace=1`, one line at exit with `stats=1`.
//!
//! ```text
//! gleaner: gc=12 pause_us=1234 … live_bytes=67108864 … reclaimed_bytes=4567 …
//! gleaner: exit collections=12 …
//! ```
//!
//! Other lines that begin with its name are messages for a person; lines of the program itself are passed over.

use anyhow::{Context, Result};
use serde::Serialize;

/// One collection, by its trace line.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Collection {
    /// Its number, from 1.
    pub number: u64,
    /// How long the program stood still, in microseconds.
    pub pause_us: u64,
    /// What it found reachable.
    pub live_bytes: u64,
    /// What it took back.
    pub reclaimed_bytes: u64,
}

/// All that gleaner said of one process.
#[derive(Debug, Default, Serialize)]
pub struct Trace {
    /// The collections, in their order.
    pub collections: Vec<Collection>,
    /// The number of collections by the line at exit.
    pub collections_at_exit: Option<u64>,
    /// The other lines, without their beginning.
    pub messages: Vec<String>,
}

impl Trace {
    /// Reads the stderr of a process.
    pub fn parse(stderr: &str) -> Result<Self> {
        let mut trace = Trace::default();
        for line in stderr.lines() {
            let Some(rest) = line.strip_prefix("gleaner: ") else { continue };
            if rest.starts_with("gc=") {
                trace.collections.push(parse_collection(rest).with_context(|| format!("in the line {line:?}"))?);
            } else if rest.starts_with("exit ") {
                let count = field(rest, "collections").with_context(|| format!("in the line {line:?}"))?;
                trace.collections_at_exit = Some(count);
            } else {
                trace.messages.push(rest.to_owned());
            }
        }
        Ok(trace)
    }

    /// The bytes that all collections took back.
    pub fn reclaimed_bytes(&self) -> u64 {
        self.collections.iter().map(|collection| collection.reclaimed_bytes).sum()
    }

    /// The longest pause in microseconds; 0 when there was none.
    pub fn pause_longest_us(&self) -> u64 {
        self.collections.iter().map(|collection| collection.pause_us).max().unwrap_or(0)
    }

    /// All pauses in microseconds.
    pub fn pause_total_us(&self) -> u64 {
        self.collections.iter().map(|collection| collection.pause_us).sum()
    }
}

/// Reads `gc=… pause_us=… …`.
fn parse_collection(line: &str) -> Result<Collection> {
    Ok(Collection {
        number: field(line, "gc")?,
        pause_us: field(line, "pause_us")?,
        live_bytes: field(line, "live_bytes")?,
        reclaimed_bytes: field(line, "reclaimed_bytes")?,
    })
}

/// The number in the word `name=NUMBER`.
fn field(line: &str, name: &str) -> Result<u64> {
    let value = line
        .split_ascii_whitespace()
        .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
        .with_context(|| format!("there is no {name}="))?;
    value.parse().with_context(|| format!("{name}={value} is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STDERR: &str = "\
something of the program's own
gleaner: gc=1 pause_us=1234 stop_us=12 roots_us=34 mark_us=1000 weak_us=3 sweep_us=150 release_us=2 live_bytes=67108864 live_objects=123 reclaimed_bytes=4567 heap_bytes=80000000 rss_hint_bytes=0 threads=5 abandoned=0
gleaner: cannot stop thread 7; collection abandoned
gleaner: gc=2 pause_us=300 stop_us=12 live_bytes=7 reclaimed_bytes=33
gleaner: exit collections=2 reclaimed_bytes=4600 reclaimed_objects=9 pause_total_us=1534 pause_longest_us=1234 heap_bytes=1 stops_abandoned=1
";

    #[test]
    fn a_trace_is_read_line_by_line() {
        let trace = Trace::parse(STDERR).unwrap();
        let first = Collection { number: 1, pause_us: 1234, live_bytes: 67108864, reclaimed_bytes: 4567 };
        assert_eq!(trace.collections.len(), 2);
        assert_eq!(trace.collections[0], first);
        assert_eq!(trace.collections_at_exit, Some(2));
        assert_eq!(trace.messages, ["cannot stop thread 7; collection abandoned"]);
        assert_eq!((trace.reclaimed_bytes(), trace.pause_longest_us(), trace.pause_total_us()), (4600, 1234, 1534));
    }

    #[test]
    fn a_program_without_gleaner_has_no_collections() {
        let trace = Trace::parse("ld.so: object 'x.so' cannot be preloaded: ignored.\n").unwrap();
        assert!(trace.collections.is_empty() && trace.messages.is_empty());
        assert_eq!(trace.collections_at_exit, None);
        assert_eq!(trace.pause_longest_us(), 0);
    }

    #[test]
    fn a_field_that_is_missing_is_named() {
        let error = Trace::parse("gleaner: gc=1 pause_us=2 live_bytes=3\n").unwrap_err();
        assert!(format!("{error:#}").contains("no reclaimed_bytes="), "{error:#}");
        let error = Trace::parse("gleaner: exit collections=many\n").unwrap_err();
        assert!(format!("{error:#}").contains("collections=many is no number"), "{error:#}");
    }
}
