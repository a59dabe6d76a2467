//! Code that the program has made: a compiler that runs beside its program writes addresses into instructions.
//!
//! An instruction may hold one at any byte. So each page is copied eight times, shifted by a byte each time, and the
//! copies are read as words are.
//!
//! Holds:   every eight bytes that begin in a present page of such a mapping are looked at.
//! Threads: the collecting thread; the world is stopped.

use super::{Source, Visitor};
use crate::{
    base::addr::{Addr, Range},
    os::{
        maps::{Mapping, Pages, Presence},
        mem, sys,
    },
};

/// Whether a mapping holds code that the program has made itself, or may make.
pub fn is_in(mapping: &Mapping<'_>) -> bool {
    let is_private = !mapping.file && !mapping.shared && !mapping.stack;
    // The kernel's own code is mapped under a name in brackets.
    mapping.executable && mapping.readable && is_private && !mapping.name.starts_with(b"[v")
}

/// The present pages of such a mapping.
pub fn visit(pages: &Pages, range: Range, visit: &mut Visitor<'_>) {
    let mut words = [0usize; mem::PAGE / size_of::<usize>()];
    pages.for_each_run(range, |run, presence| {
        if presence == Presence::Absent {
            return;
        }
        for page in (run.start.get()..run.end.get()).step_by(mem::PAGE) {
            for start in page..page + size_of::<usize>() {
                // Past the end of the run too: the page that follows may have another protection, or be swapped out.
                // SAFETY: `words` may be seen as its bytes, and any bytes are words.
                let copy = unsafe { core::slice::from_raw_parts_mut(words.as_mut_ptr().cast::<u8>(), mem::PAGE) };
                let copied = sys::read_own_memory(start, copy);
                visit(Source::Code, Range::sized(Addr::of(words.as_ptr()), copied));
            }
        }
    });
}
