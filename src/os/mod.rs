//! Floor 2, the operating system: the only place that knows Linux, x86-64 and the C library.
//!
//! A platform is a set of files with these contracts. There is one so far: x86-64 Linux with glibc.
//!
//! - [`sys`] raw system calls: they neither touch `errno` nor allocate.
//! - [`mem`] address space: reserve, commit, decommit, release, and the list of what is ours.
//! - [`limits`] what the process may have · [`memory`] how much of that.
//! - [`lock`] a futex lock with a rank.
//! - [`tls`] the words of thread-local storage the fast paths read.
//! - [`jump`] where a `longjmp` goes.
//! - [`filter`] filters of system calls.
//! - [`bare`] tasks made without the C library.
//! - [`helper`] bare threads of ours · [`cpus`] how many processors there are for them.
//! - [`quota`] what control groups grant of processors and memory.
//! - [`thread`] who runs in this process, and how to wake or signal them.
//! - [`signal`] the stop signal · [`registers`] those that a stopped thread's context holds.
//! - [`stack`] spilled registers and the ends of stacks · [`control_block`] what the C library has noted of those.
//! - [`statics`] the segments of loaded objects, as the loader lists them.
//! - [`binding`] which functions a loaded object's calls reach.
//! - [`maps`] the mappings of the process, as the kernel lists them, and which of their pages are present · [`written`] which were
//!   written lately · [`scan`] by which both are asked.
//! - [`lines`] the lines of the kernel's files · [`path`] where those are, put together without an allocator.
//! - [`descriptors`] what stands behind descriptors.
//! - [`log`] messages by `write(2)`, and the end of the process.
//! - [`clock`] monotonic time · [`poll`] looking again before going to sleep.
//! - [`memcheck`] what valgrind is told of the heap.
//! - [`backtrace`] where the calls of a thread return to.
//! - [`dl`] what other libraries have under our names · [`rendezvous`] where copies of this one meet.

pub mod backtrace;
pub mod bare;
pub mod binding;
pub mod clock;
pub mod control_block;
pub mod copying;
pub mod cpus;
pub mod descriptors;
pub mod dl;
pub mod filter;
pub mod helper;
pub mod jump;
pub mod limits;
pub mod lines;
pub mod lock;
pub mod log;
pub mod maps;
pub mod mem;
pub mod memcheck;
pub mod memory;
pub mod pages;
pub mod path;
pub mod poll;
pub mod quota;
pub mod registers;
pub mod rendezvous;
pub mod scan;
pub mod signal;
pub mod stack;
pub mod statics;
pub mod sys;
pub mod thread;
pub mod tls;
pub mod written;

/// The value of a variable of the environment, unless the process runs with other rights than its user's. It stays as it is
/// until the program changes the variable.
pub fn variable(name: &core::ffi::CStr) -> Option<&'static str> {
    if is_secure_mode() {
        return None;
    }
    // SAFETY: a string; the result is one as well, or null.
    unsafe {
        let value = libc::getenv(name.as_ptr());
        if value.is_null() { None } else { core::ffi::CStr::from_ptr(value).to_str().ok() }
    }
}

/// Whether the process runs with other rights than its user's, so that the environment is not to be trusted.
pub fn is_secure_mode() -> bool {
    // SAFETY: reads a word that the kernel passed.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}
