//! The functions and variables of bdwgc's `gc.h`, version 8.2.2, over the engine: what `libgc.so.1` exports.
//!
//! The contract of each function stands in the header. What can call a function of the program's goes through `edge.c`,
//! because no exception and no longjmp may pass through a Rust frame.
//!
//! - `data` the variables · `alloc` objects · `query` what an address belongs to · `debug` objects with a header
//! - `kinds`, `descriptor`, `marking`, `typed`, `gcj`, `disclaim` what of an object is searched, and how
//! - `finalizers`, `links`, `toggle` what happens when an object goes
//! - `threads`, `lock`, `signals`, `fork` threads · `roots` what is searched first
//! - `control`, `incremental`, `sizing` collections and the heap · `callbacks` what the program takes part in them with
//! - `environment` what the user says
//! - `reports`, `stats`, `checks`, `leaks` what is said about it
#![no_std]
// A pointer from C is handed on as it came; whether it may be followed is for the function that does.
#![allow(clippy::not_unsafe_ptr_arg_deref)]

mod accessors;
mod alloc;
mod callbacks;
mod checks;
mod control;
mod data;
mod debug;
mod descriptor;
mod disclaim;
mod edge;
mod environment;
mod finalizers;
mod fork;
mod gcj;
mod incremental;
mod kinds;
mod leaks;
mod links;
mod lock;
mod marking;
mod off_page;
mod query;
mod reports;
mod roots;
mod signals;
mod sizing;
pub mod start;
mod stats;
mod threads;
mod toggle;
mod typed;
