//! Floor 5, the Rust surface: options and statistics.

pub mod options;
pub mod stats;
