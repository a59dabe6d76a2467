//! Closed pages: parts of the heap that the program has made read-only or inaccessible, by `mprotect`.
//!
//! A coroutine's stack with a guard page often comes from `posix_memalign`. The marker has to read such an object, so
//! inaccessible pages are made readable while the world is stopped, when nobody can notice, and closed again before it
//! goes on. And no object in a closed page is ever reclaimed: its slot could not be handed out again.
//!
//! Holds:   when the world goes on, every page has the protection that the program gave it.
//! Threads: the program's notes come from any thread; the rest is the collector's, while the world is stopped.

use super::{
    roots::{
        blind::{Place, is_blind},
        sealed,
    },
    table::{List, NoMemory},
};
use crate::{
    base::{
        addr::{Addr, Range},
        sync::{AtomicBool, Ordering},
    },
    heap::{cage, resolve, size_class::GRANULE},
    os::{maps, mem},
};

/// Whether the program has ever closed a page of the heap.
static ANY: AtomicBool = AtomicBool::new(false);

/// The program is about to change the protection of a range.
pub fn note(range: Range, may_read_and_write: bool) {
    if may_read_and_write {
        return;
    }
    if cage::contains(range.start) || cage::contains(range.end) {
        // Relaxed: pairs with the load in `open`. The stop lies in between: what a thread has stored before it stopped is
        // seen by who found it stopped. One that is stopped right here has not closed the page yet.
        ANY.store(true, Ordering::Relaxed);
    } else {
        sealed::note(range);
    }
}

/// Whether the program may have closed a page of the heap: a word there may not be read.
pub fn may_be_any() -> bool {
    ANY.load(Ordering::Relaxed)
}

/// The pages that are open only for a collection.
pub struct Closed {
    /// The closed parts of the heap, and what they allow.
    pages: List<(Range, mem::Protection)>,
    is_open: bool,
}

impl Closed {
    /// None, without memory.
    pub const fn new() -> Self {
        Closed { pages: List::new(), is_open: false }
    }

    /// Makes all pages of the heap readable, unless they are already, and gives an address in each object that lies in a
    /// closed page to `keep`. The world is stopped.
    pub fn open(&mut self, mut keep: impl FnMut(Addr)) -> Result<(), NoMemory> {
        // Relaxed: see `note`.
        if is_blind(Place::Closed) || !ANY.load(Ordering::Relaxed) {
            return Ok(());
        }
        if !self.is_open {
            self.pages.clear();
            self.find()?;
            self.is_open = true;
            for &(range, protection) in self.pages.as_slice().iter().filter(|(_, protection)| !protection.read) {
                mem::protect(range, mem::Protection { read: true, ..protection });
            }
        }
        self.pages.as_slice().iter().for_each(|&(range, _)| for_each_object(range, &mut keep));
        Ok(())
    }

    fn find(&mut self) -> Result<(), NoMemory> {
        let mut result = Ok(());
        let is_listed = maps::for_each(|mapping| {
            let protection = mapping.protection();
            if protection.read && protection.write {
                return;
            }
            // What lies beside the committed part is inaccessible too, and may be one mapping with a closed page.
            cage::for_each_committed(|committed| {
                let closed = mapping.range.intersect(committed);
                if !closed.is_empty() {
                    result = result.and(self.pages.push((closed, protection)));
                }
            });
        });
        if is_listed { result } else { Err(NoMemory) }
    }

    /// Gives the pages back the protection that they had.
    pub fn close(&mut self) {
        if self.is_open {
            self.is_open = false;
            for &(range, protection) in self.pages.as_slice().iter().filter(|(_, protection)| !protection.read) {
                mem::protect(range, protection);
            }
        }
    }
}

fn for_each_object(range: Range, keep: &mut impl FnMut(Addr)) {
    let mut at = range.start;
    while at < range.end {
        at = match resolve::locate(at) {
            Some(slot) => {
                keep(at);
                slot.start() + slot.bytes()
            }
            None => at + GRANULE,
        };
    }
}
