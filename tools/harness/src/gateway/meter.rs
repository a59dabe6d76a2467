//! The meter: samples of the gateway's resident memory, at fixed request counts and at fixed times.
//!
//! Samples at request counts are what figures are made of: two runs of different speed have the same ones. Those in
//! between make the picture finer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;

use crate::figures::mean;
use crate::process;

/// How often memory is sampled whatever the requests do.
const PERIOD: Duration = Duration::from_millis(50);

/// What made a sample be taken.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// A request count was reached.
    Count,
    /// Time has passed.
    Time,
}

/// The resident memory at one moment.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Sample {
    /// Seconds since the load began.
    pub seconds: f64,
    /// Responses so far.
    pub requests: u64,
    /// Resident memory.
    pub resident_bytes: u64,
    /// Why it was taken.
    pub cause: Cause,
}

/// Samples a process until the senders of `marks` are gone. A mark is the request count that was reached.
pub fn watch(pid: u32, answered: &AtomicU64, marks: Receiver<u64>) -> Result<Vec<Sample>> {
    let started = Instant::now();
    let mut samples = Vec::new();
    loop {
        let (cause, requests) = match marks.recv_timeout(PERIOD) {
            Ok(count) => (Cause::Count, count),
            Err(RecvTimeoutError::Timeout) => (Cause::Time, answered.load(Ordering::Relaxed)),
            Err(RecvTimeoutError::Disconnected) => return Ok(samples),
        };
        let resident_bytes = process::resident(pid)?.bytes;
        samples.push(Sample { seconds: started.elapsed().as_secs_f64(), requests, resident_bytes, cause });
    }
}

/// The mean resident memory over one quarter (1 to 4) of a run of `requests`, from the samples at request counts.
pub fn quarter_mean(samples: &[Sample], quarter: u64, requests: u64) -> f64 {
    let within = |sample: &&Sample| {
        sample.cause == Cause::Count
            && sample.requests * 4 > (quarter - 1) * requests
            && sample.requests * 4 <= quarter * requests
    };
    mean(&samples.iter().filter(within).map(|sample| sample.resident_bytes as f64).collect::<Vec<_>>())
}

/// The first sample at which at least `share` of `requests` were answered.
pub fn at_share(samples: &[Sample], share: f64, requests: u64) -> Option<&Sample> {
    samples.iter().find(|sample| sample.requests as f64 >= share * requests as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<Sample> {
        let sample = |requests, resident_bytes, cause| Sample { seconds: 0.0, requests, resident_bytes, cause };
        let mut samples: Vec<_> = (1..=8).map(|i| sample(10 * i, 100 * i, Cause::Count)).collect();
        samples.insert(3, sample(35, 1_000_000, Cause::Time));
        samples
    }

    #[test]
    fn a_quarter_has_its_own_samples_only() {
        assert_eq!(quarter_mean(&samples(), 1, 80), 150.0);
        assert_eq!(quarter_mean(&samples(), 2, 80), 350.0);
        assert_eq!(quarter_mean(&samples(), 4, 80), 750.0);
        assert!(quarter_mean(&[], 2, 80).is_nan());
    }

    #[test]
    fn a_share_is_the_first_sample_that_reaches_it() {
        assert_eq!(at_share(&samples(), 0.25, 80).unwrap().requests, 20);
        assert_eq!(at_share(&samples(), 1.0, 80).unwrap().requests, 80);
        assert!(at_share(&samples(), 1.0, 100).is_none());
    }

    #[test]
    fn this_process_is_watched_until_nobody_marks() {
        let (sender, marks) = std::sync::mpsc::channel();
        sender.send(5).unwrap();
        drop(sender);
        let samples = watch(std::process::id(), &AtomicU64::new(9), marks).unwrap();
        assert_eq!(samples.len(), 1);
        assert_eq!((samples[0].requests, samples[0].cause), (5, Cause::Count));
        assert!(samples[0].resident_bytes > 0);
    }
}
