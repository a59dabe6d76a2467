//! The functions of `gleaner.h`, over the engine.
//!
//! The contract of each function stands in the header and is not repeated here. What can call a function of the
//! program's (an out-of-memory handler, a finalizer, a listener) goes through `edge.c`, because no exception and no
//! longjmp may pass through a Rust frame: the fast paths below leave for it by their last call, which the compiler turns
//! into a jump; a test looks at the machine code.
#![no_std]
// A pointer from C is handed on as it came; whether it may be followed is for the function that does.
#![allow(clippy::not_unsafe_ptr_arg_deref)]

pub mod alloc;
pub mod attach;
pub mod cache;
pub mod control;
pub mod edge;
pub mod engine;
pub mod exports;
pub mod fiber;
pub mod leave;
pub mod misuse;
#[cfg(debug_assertions)]
mod personality;
pub mod report;
pub mod start;
pub mod unwind;
