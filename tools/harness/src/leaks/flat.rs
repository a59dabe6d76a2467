//! Whether a footprint is flat: what the samples of a run's resident memory come to.
//!
//! The first tenth of a run warms up and is left out. A footprint goes up and down with each collection, so single samples
//! say little: the *first* figure is the median of the first quarter of what is left, the *last* one that of the last
//! quarter, and the slope is that of the straight line that fits best.

use serde::Serialize;

use crate::figures::{mean, median};

/// The resident memory at one moment.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Sample {
    /// Seconds since the load began.
    pub seconds: f64,
    /// Resident memory.
    pub bytes: f64,
}

/// Figures of a footprint, in bytes.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Footprint {
    /// The median of the first quarter.
    pub first: f64,
    /// The median of all.
    pub median: f64,
    /// The median of the last quarter.
    pub last: f64,
    /// The largest, the warming up included.
    pub peak: f64,
    /// By which the fitted line rises in an hour.
    pub slope: f64,
    /// By which the fitted line rises over the run.
    pub rise: f64,
}

impl Footprint {
    /// The figures of a run; not numbers when there are too few samples.
    pub fn of(samples: &[Sample]) -> Self {
        let warm = &samples[samples.len() / 10..];
        let bytes: Vec<_> = warm.iter().map(|sample| sample.bytes).collect();
        let quarter = bytes.len() / 4;
        let slope = slope(warm);
        let time = warm.last().map_or(f64::NAN, |last| last.seconds - warm[0].seconds);
        Footprint {
            first: median(&bytes[..quarter]),
            median: median(&bytes),
            last: median(&bytes[bytes.len() - quarter..]),
            peak: samples.iter().map(|sample| sample.bytes).fold(f64::NAN, f64::max),
            slope: slope * 3600.0,
            rise: slope * time,
        }
    }
}

/// The bytes a second of the line with the least squares.
fn slope(samples: &[Sample]) -> f64 {
    let of = |figure: fn(&Sample) -> f64| samples.iter().map(figure).collect::<Vec<_>>();
    let (seconds, bytes) = (of(|sample| sample.seconds), of(|sample| sample.bytes));
    let (second, byte) = (mean(&seconds), mean(&bytes));
    let both: f64 = samples.iter().map(|sample| (sample.seconds - second) * (sample.bytes - byte)).sum();
    let square: f64 = seconds.iter().map(|one| (one - second).powi(2)).sum();
    both / square
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(bytes: impl Fn(f64) -> f64) -> Footprint {
        let sample = |second| Sample { seconds: f64::from(second), bytes: bytes(f64::from(second)) };
        Footprint::of(&(0..=3600).map(sample).collect::<Vec<_>>())
    }

    #[test]
    fn what_goes_up_and_down_is_flat() {
        let saw = run(|second| 100.0 + second % 7.0);
        assert!(saw.rise.abs() < 1.0, "{saw:?}");
        assert_eq!((saw.first, saw.median, saw.last, saw.peak), (103.0, 103.0, 103.0, 106.0));
    }

    #[test]
    fn what_grows_is_not() {
        let line = run(|second| 100.0 + second / 36.0);
        assert!((line.slope - 100.0).abs() < 1e-6, "{line:?}");
        assert!((line.rise - 90.0).abs() < 1e-6 && line.last - line.first > 60.0, "{line:?}");
    }

    #[test]
    fn warming_up_does_not_count_but_for_the_peak() {
        let warm = run(|second| if second < 300.0 { 500.0 } else { 100.0 });
        assert_eq!((warm.first, warm.last, warm.rise, warm.peak), (100.0, 100.0, 0.0, 500.0));
    }

    #[test]
    fn a_run_without_samples_has_no_figures() {
        assert!(Footprint::of(&[]).last.is_nan() && Footprint::of(&[]).rise.is_nan());
    }
}
