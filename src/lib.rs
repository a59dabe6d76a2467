//! gleaner
#![cfg_attr(not(test), no_std)]
pub mod api;
pub mod base;
pub mod collect;
pub mod heap;
pub mod os;
