//! `libgc.so.1`: the functions and variables of bdwgc's `gc.h`, for programs that were linked with it.
#![no_std]
// `cargo test --lib` builds every default member's library as a test, where `std` has a panic handler of its own; a shell
// of exports has nothing to test there, and is empty.
#![cfg(not(test))]

use core::ffi::{c_char, c_int};
use gleaner_abi::engine::{self, Engine};

/// Run by the loader before the program's constructors.
extern "C" fn constructor(_count: c_int, _arguments: *const *const c_char, environment: *const *const c_char) {
    // SAFETY: glibc passes the environment to constructors.
    unsafe { gleaner_bdw::start::start(environment) };
}

static ENGINE: Engine = engine::LIBRARY;

gleaner_abi::door!(unnamed ENGINE);
gleaner_abi::library!(constructor);
