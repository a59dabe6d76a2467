//! `libgccpp.so.1`: `operator new` and `delete` on the heap of libgc.so.1, for the whole process.
//!
//! What they allocate is searched for pointers and lives until it is deleted.
#![no_std]
// As in the other doors: an empty library where `cargo test --lib` builds it.
#![cfg(not(test))]

include!("../../jumps.rs");

// The names are those of operator new and new[], delete and delete[], both of those with a size, and of a C++ function.
jumps! {
    _Znwm => gleaner_new,
    _Znam => gleaner_new,
    _ZdlPv => gleaner_delete,
    _ZdaPv => gleaner_delete,
    _ZdlPvm => gleaner_delete,
    _ZdaPvm => gleaner_delete,
    _Z18GC_throw_bad_allocv => gleaner_throw_bad_alloc
}
