//! `libgctba.so.1`: `GC_throw_bad_alloc`, for programs that use `gc_allocator.h` and keep their own `operator new`.
#![no_std]
// As in the other doors: an empty library where `cargo test --lib` builds it.
#![cfg(not(test))]

include!("../../jumps.rs");

// The name is that of a C++ function without arguments.
jumps! {
    _Z18GC_throw_bad_allocv => gleaner_throw_bad_alloc
}
