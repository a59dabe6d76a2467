//! Floor 5, the Rust surface: handles, the allocator of a Rust program, options and statistics.
//!
//! ```text
//!   Gc · Weak · Ephemeron · WeakMap    copies of an address, found by the collector wherever they lie     gc, weak …
//!   Root                               counted, keeps its value from anywhere                             root
//!   WithDrop                           a value whose destructor runs                                      with_drop
//! ```

#[cfg(feature = "engine")]
pub mod at_exit;
#[cfg(not(feature = "engine"))]
mod at_exit;
mod begin;
mod boundary;
pub mod control;
pub mod ephemeron;
pub mod events;
pub mod gc;
pub mod global;
mod hidden;
pub mod options;
mod pair;
pub mod root;
pub mod soundness;
pub mod stats;
mod traits;
pub mod weak;
pub mod weak_map;
pub mod with_drop;
