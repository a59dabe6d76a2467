//! Reading: how a part of the program's memory is handed to who looks at its words.
//!
//! A collector must not fault, nor bring pages into memory that hold nothing. So whole pages are asked for first
//! ([`pages`](crate::os::pages)): those that hold nothing are passed over, and the others are read in the manner that
//! their mapping needs.
//!
//! | the part | is read |
//! |---|---|
//! | in memory, the process's own, and readable | as it is |
//! | elsewhere, or where a file may be cut off or a device may be | by copying |
//! | not readable at the moment | by copying past the protection; if the kernel refuses, it is made readable meanwhile |
//!
//! Making it readable is safe because the world stands still and the collecting thread takes no signals: nobody can notice.
//!
//! Holds:   every range handed on may be read by instructions until the visitor returns; a copy is no longer there.
//!          Each page has the protection again that the program gave it.
//! Threads: the collecting thread; the world is stopped.

use super::{Source, Unknown, Visitor};
use crate::{
    base::addr::{Addr, Range},
    os::{
        copying,
        maps::Mapping,
        mem::{self, Protection},
        pages::{Pages, Presence, Wanted},
    },
};

/// How the pages of a mapping are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    /// As they are, if they are in memory.
    AsTheyAre,
    /// By copying.
    Copied,
    /// By copying past this protection, which does not allow it.
    Past(Protection),
}

impl Manner {
    /// What a mapping needs.
    pub fn of(mapping: &Mapping<'_>) -> Manner {
        match mapping.name {
            _ if !mapping.readable => Manner::Past(mapping.protection()),
            // Nobody has a descriptor of it, to cut it off by.
            name if name.starts_with(b"/dev/zero") || name.starts_with(b"/SYSV") => Manner::AsTheyAre,
            name if mapping.shared || name.starts_with(b"/dev/") => Manner::Copied,
            _ => Manner::AsTheyAre,
        }
    }
}

/// Which of a mapping's pages hold something of the program's.
pub fn wanted_in(mapping: &Mapping<'_>) -> Wanted {
    if mapping.shared { Wanted::Shared } else { Wanted::Own }
}

/// The pages of a part of a mapping that hold something.
pub fn visit_mapped(
    pages: &Pages,
    mapping: &Mapping<'_>,
    part: Range,
    source: Source,
    visit: &mut Visitor<'_>,
) -> Result<(), Unknown> {
    let manner = Manner::of(mapping);
    let mut result = Ok(());
    pages.for_each_run(whole_pages(part), wanted_in(mapping), |run, presence| {
        result = result.and(visit_run(run.intersect(part), presence, manner, source, visit));
    });
    result
}

/// The whole pages that a range touches.
pub fn whole_pages(range: Range) -> Range {
    Range::new(range.start.align_down(mem::PAGE), range.end.align_up(mem::PAGE))
}

/// A part of a run of pages that hold something.
pub fn visit_run(
    part: Range,
    presence: Presence,
    manner: Manner,
    source: Source,
    visit: &mut Visitor<'_>,
) -> Result<(), Unknown> {
    match manner {
        Manner::Past(protection) => return visit_closed(part, protection, source, visit),
        Manner::AsTheyAre if presence == Presence::Present => visit(source, part),
        _ => copying::for_each_page(part, |copy| visit(source, copy)),
    }
    Ok(())
}

/// A part that the program may not read at the moment.
fn visit_closed(part: Range, protection: Protection, source: Source, visit: &mut Visitor<'_>) -> Result<(), Unknown> {
    if copying::for_each_closed_page(part, |copy| visit(source, copy)) {
        return Ok(());
    }
    let pages = whole_pages(part);
    if !mem::protect(pages, Protection { read: true, ..protection }) {
        return Err(Unknown);
    }
    // Copied all the same: a file behind it may have been cut off.
    copying::for_each_page(part, |copy| visit(source, copy));
    if mem::protect(pages, protection) { Ok(()) } else { Err(Unknown) }
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
