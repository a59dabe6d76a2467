//! What is undone when an exception, a cancellation or `pthread_exit` unwinds through a frame of ours.
//!
//! Such a frame is a few lines of assembly with a personality routine of its own (Itanium C++ ABI, "Exception Handling"):
//! the usual one would bring a library along.

use core::ffi::c_int;

/// A personality routine's answer: nothing is caught here. In the phase that cleans up, `undo` runs, and unwinding goes
/// on.
pub fn pass(actions: c_int, undo: impl FnOnce()) -> c_int {
    const CLEANUP_PHASE: c_int = 2;
    const CONTINUE_UNWIND: c_int = 8;
    if actions & CLEANUP_PHASE != 0 {
        undo();
    }
    CONTINUE_UNWIND
}
