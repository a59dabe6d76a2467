//! `libgleaner_malloc.so`: the standard malloc family on the collected heap, preloaded or linked, and the functions of
//! `gleaner.h` and of bdwgc's `gc.h`, so that all are one heap.
//!
//! The semantics are glibc's where POSIX and C leave room: `malloc(0)` is an object of its own, `realloc(p, 0)` frees and
//! returns null, every object is aligned to 16, nothing is larger than `PTRDIFF_MAX`, `free` keeps `errno`.
//!
//! - [`family`] malloc, free and their kin · [`foreign`] what is glibc's · [`cxx`] operator new and delete
//! - [`report`] mallinfo and its kin · [`elsewhere`] what the malloc family does when another copy has the engine
//! - [`dormant`] what it does in a program with another malloc
//! - [`interpose`] what keeps threads known · [`masks`] what keeps the stop signal deliverable
//! - [`loader`] libraries that would bypass us
//! - [`waits`] calls that wait, each a safe region by [`regions`] · [`handlers`] what ends one before a handler runs
//! - [`alternate`] stacks that only the kernel knows
//! - [`clones`] threads and processes made past the C library
//! - [`sandbox`] filters of system calls
//! - [`exec`] programs that this one becomes or starts
//! - [`events`], [`timers`], [`signals`] and [`sent`] messages that only the kernel knows, also by way of `syscall`
//!   ([`followed`]); [`peek`] reads what a program gives to the kernel
//! - [`faults`] accesses to objects that a collection would have reclaimed
//!   · [`passed`] those that are handed to the kernel
//! - [`namesakes`] libraries with a collector of their own under `gc.h`'s names
//! - [`hiding`] libraries that hide pointers · [`limits`] limits of the address space
#![no_std]
// `cargo test --lib` builds every default member's library as a test, where `std` has a panic handler of its own; a shell
// of exports has nothing to test there, and is empty.
#![cfg(not(test))]

mod alternate;
mod clones;
mod cxx;
mod dormant;
mod elsewhere;
mod events;
mod exec;
mod family;
mod faults;
mod followed;
mod foreign;
mod handlers;
mod hiding;
mod interpose;
mod jumps;
mod limits;
mod loader;
mod masks;
mod namesakes;
mod passed;
mod peek;
mod regions;
mod report;
mod sandbox;
mod sent;
mod signals;
mod timers;
mod waits;

// Its functions are exported by being named.
use gleaner_bdw as _;

use core::ffi::{c_char, c_int};
use gleaner::{collect::start::Door, os::dl};
use gleaner_abi::engine::{self, Engine, Place};

/// Run by the loader before the program's constructors.
extern "C" fn constructor(_count: c_int, _arguments: *const *const c_char, environment: *const *const c_char) {
    if dormant::is_dormant() {
        // SAFETY: glibc passes the environment to constructors, and runs them on one thread.
        return unsafe {
            dormant::say(environment);
            namesakes::leave_to_others(true);
        };
    }
    if engine::place() != Place::Elsewhere {
        interpose::find_originals();
        masks::find_originals();
        jumps::find_originals();
        waits::find_originals();
        clones::find_original();
        sandbox::find_original();
        peek::find_program();
        events::find_originals();
        timers::find_originals();
        signals::find_originals();
        sent::find_originals();
        handlers::open_gateway();
        foreign::find_originals();
        exec::find_originals();
        loader::find_original();
        dl::find_c_library();
        hiding::treat_loaded();
    }
    // SAFETY: glibc passes the environment to constructors.
    unsafe {
        gleaner_abi::start::start(Door::Malloc, environment);
        namesakes::leave_to_others(false);
    };
    if engine::place() != Place::Elsewhere {
        loader::forbid_deep_binding();
        // SAFETY: the same, which the program has as its own.
        unsafe { exec::begin(environment.cast_mut().cast()) };
    }
    faults::begin();
}

static ENGINE: Engine = Engine::with_family(&elsewhere::FAMILY);

gleaner_abi::door!(ENGINE);
gleaner_abi::library!(constructor);
