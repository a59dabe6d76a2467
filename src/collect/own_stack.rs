//! The collector's own stack: where a collection works, whichever thread has come to it.
//!
//! Its functions are full of addresses of objects. On the stack of the thread that collects these would stay behind, in
//! what is dead then and soon part of another function's frame, which may not write all of it: a later collection would
//! find them there, keep what they lead to, and leave them behind again. Several threads that collect in turn would keep
//! each other's garbage so for ever. And the thread's own stack may be a fiber's, which may be small.
//!
//! Holds:   what is ours (`os::mem`) is never searched.
//! Threads: who has the world works here. Where there is no memory for it the thread's own stack has to do.

use crate::{
    base::{
        addr::{Addr, Range},
        sync::{AtomicUsize, Ordering},
    },
    os::{mem, memcheck},
};

/// Zero until there is one.
static END: AtomicUsize = AtomicUsize::new(0);
const BYTES: usize = 512 << 10;

/// Makes it, once, with a page below it that cannot be touched. `false`: no memory.
pub fn make() -> bool {
    if end().is_some() {
        return true;
    }
    let Some(start) = mem::map(BYTES) else { return false };
    let whole = Range::sized(start, BYTES);
    // Release: pairs with the Acquire of `end`.
    if END.compare_exchange(0, whole.end.get(), Ordering::Release, Ordering::Relaxed).is_err() {
        mem::unmap(whole.start, BYTES);
        return true;
    }
    memcheck::note_stack_born(whole, whole.end);
    // Where it is refused there is no guard.
    let nothing = mem::Protection { read: false, write: false, execute: false };
    let _ = mem::protect(Range::sized(whole.start, mem::PAGE), nothing);
    true
}

/// Where it ends, if there is one.
pub fn end() -> Option<Addr> {
    // Acquire: pairs with the Release of `make`.
    let end = Addr::new(END.load(Ordering::Acquire));
    (!end.is_null()).then_some(end)
}
