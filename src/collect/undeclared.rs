//! Undeclared pointers: addresses of malloc's objects in words that the program has said hold none.
//!
//! A program of `gc.h` says where its pointers to the objects of that heap are. What `malloc` gave it is none of these:
//! it may keep such an address anywhere, in an object without pointers or in a word that a layout or a procedure leaves
//! out. Where `malloc` is on this heap too, those words are read as well. They keep malloc's objects only, so a weak link
//! to any other is as weak as it was, and they do not count when finalizers are ordered.
//!
//! Threads: any may begin; the world is stopped while they are read.

use super::item;
use crate::{
    base::{
        addr::{Ambiguous, Range},
        sync::{AtomicBool, Ordering},
    },
    heap::{
        kind::Kind,
        resolve::{self, Slot},
    },
};

/// Relaxed: who begins has no object yet whose words it is about, and a collector stops it.
static ARE_READ: AtomicBool = AtomicBool::new(false);

/// From the next collection on they are read.
pub fn begin() {
    ARE_READ.store(true, Ordering::Relaxed);
}

/// Has objects without pointers looked at if these words are read. The world is stopped, and no item waits.
pub fn take_effect() {
    if ARE_READ.load(Ordering::Relaxed) {
        item::let_none_be_passed_over();
    }
}

/// Visits the words of an object in use that lead to malloc's objects, declared or not, if they are read.
#[inline(always)]
pub fn children(slot: &Slot, visit: impl FnMut(Ambiguous)) {
    let traits = slot.class().kind().traits();
    if ARE_READ.load(Ordering::Relaxed) && !(traits.is_conservative() || traits.is_weak() || traits.is_fiber()) {
        all(slot, visit);
    }
}

/// Whether an object is malloc's.
pub fn is_mallocs(slot: &Slot) -> bool {
    slot.class().kind() == Kind::MALLOC
}

#[cold]
fn all(slot: &Slot, mut visit: impl FnMut(Ambiguous)) {
    // SAFETY: the slot is in use, so its bytes are committed.
    unsafe {
        super::trace::words(Range::sized(slot.start(), slot.bytes()), |word| {
            if resolve::resolve(word).is_some_and(|found| is_mallocs(&found)) {
                visit(word);
            }
        });
    }
}
