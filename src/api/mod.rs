//! Floor 5, the Rust surface: the allocator of a Rust program, options and statistics.

pub mod global;
pub mod options;
pub mod stats;
