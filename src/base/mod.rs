//! Floor 1, words: the types of addresses, the bit arithmetic, and the atomics that the floors above share.
//!
//! Nothing here knows of a heap, a thread or an operating system.

pub mod addr;
pub mod bits;
#[cfg(loom)]
pub mod model;
pub mod sync;
