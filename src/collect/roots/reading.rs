//! Reading: how a part of the program's memory is handed to who looks at its words.
//!
//! A collector must not fault, nor bring pages into memory that hold nothing. So whole pages are asked for first: those
//! that were never written are passed over, those in memory are handed on as they are, and those that are elsewhere
//! (swapped out, migrating, a guard that the kernel set) are copied by a system call, which reads what can be read.
//!
//! Holds:   every range handed on may be read by instructions until the visitor returns; a copy is no longer there.
//! Threads: the collecting thread; the world is stopped.

use super::{Source, Visitor};
use crate::{
    base::addr::{Addr, Range},
    os::{
        maps::{self, Pages, Presence},
        mem, sys,
    },
};

/// The pages of a range that hold something; those that are not in memory are copied, so that reading cannot fault.
pub fn visit_present(pages: &Pages, range: Range, source: Source, visit: &mut Visitor<'_>) {
    let whole_pages = Range::new(range.start.align_down(mem::PAGE), range.end.align_up(mem::PAGE));
    pages.for_each_run(whole_pages, |run, presence| match presence {
        Presence::Absent => {}
        Presence::Present => visit(source, run.intersect(range)),
        Presence::Elsewhere => visit_copied(run.intersect(range), source, visit),
    });
}

/// Copies of what can be read of a range.
pub fn visit_copied(range: Range, source: Source, visit: &mut Visitor<'_>) {
    let head = Range::new(range.start, (range.start + 1).align_up(mem::PAGE).min(range.end));
    let mut words = [0usize; mem::PAGE / size_of::<usize>()];
    let rest = Range::new(head.end, range.end);
    // SAFETY: `words` may be seen as its bytes, and any bytes are words.
    let bytes = unsafe { core::slice::from_raw_parts_mut(words.as_mut_ptr().cast::<u8>(), head.bytes()) };
    let copied = sys::read_own_memory(head.start.get(), bytes);
    visit(source, Range::sized(Addr::of(words.as_ptr()), copied));
    maps::for_each_copied_page(rest, |words| visit(source, Range::sized(Addr::of(words.as_ptr()), size_of_val(words))));
}

/// An object that is known to be one. A byte inside stands for it: its first one might be the end of another.
pub fn visit_object(source: Source, object: Addr, visit: &mut Visitor<'_>) {
    visit_word(source, object.get() + 1, visit);
}

/// A word that is kept elsewhere, or not at all.
pub fn visit_word(source: Source, word: usize, visit: &mut Visitor<'_>) {
    let word = [word];
    visit(source, Range::sized(Addr::of(&raw const word), size_of::<usize>()));
}
