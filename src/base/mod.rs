//! Floor 1, words: the types of addresses, the bit arithmetic, a queue, and the atomics that the floors above share.
//!
//! Nothing here knows of a heap, a thread or an operating system.

pub mod addr;
pub mod bits;
pub mod fifo;
#[cfg(loom)]
pub mod model;
pub mod sync;
