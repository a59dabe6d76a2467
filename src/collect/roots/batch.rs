//! A batch: neighbouring parts of mappings, whose pages are asked for in one call.
//!
//! ```text
//!   data | zeroed data | data of the next library        three mappings, one question
//! ```
//!
//! Holds:   the parts are in ascending order, and each begins in the page in which the one before ends, or in the next.
//!          What was added is visited before the batch is finished.
//! Threads: the collecting thread; the world is stopped.

use super::{
    Source, Unknown, Visitor, made_code,
    reading::{self, Manner},
};
use crate::{
    base::addr::{Addr, Range},
    os::pages::{Pages, Presence, Wanted},
};

const PARTS_MAX: usize = 16;

/// A part of a private mapping, and how it is read.
#[derive(Clone, Copy)]
pub struct Part {
    /// Its addresses, which need not be whole pages.
    pub range: Range,
    /// What it is part of.
    pub source: Source,
    /// How it is read.
    pub manner: Manner,
}

impl Part {
    const NONE: Part =
        Part { range: Range::new(Addr::NULL, Addr::NULL), source: Source::Static, manner: Manner::AsTheyAre };

    fn visit(&self, run: Range, presence: Presence, visit: &mut Visitor<'_>) -> Result<(), Unknown> {
        let part = self.range.intersect(run);
        if part.is_empty() {
            return Ok(());
        }
        reading::visit_run(part, presence, self.manner, self.source, visit)?;
        if self.source == Source::Code {
            made_code::visit_seam(part.end, visit);
        }
        Ok(())
    }
}

/// See the module's documentation.
pub struct Batch<'a> {
    pages: &'a Pages,
    parts: [Part; PARTS_MAX],
    count: usize,
    result: Result<(), Unknown>,
}

impl<'a> Batch<'a> {
    /// An empty one, whose pages are looked up in the kernel's table.
    pub fn new(pages: &'a Pages) -> Self {
        Batch { pages, parts: [Part::NONE; PARTS_MAX], count: 0, result: Ok(()) }
    }

    /// The kernel's table.
    pub fn pages(&self) -> &'a Pages {
        self.pages
    }

    /// Adds a part behind the others, which are visited first if there is no room or it does not lie beside them.
    pub fn add(&mut self, part: Part, visit: &mut Visitor<'_>) {
        if part.range.is_empty() {
            return;
        }
        let is_neighbour = self
            .last()
            .is_none_or(|last| reading::whole_pages(part.range).start <= reading::whole_pages(last.range).end);
        if !is_neighbour || self.count == PARTS_MAX {
            self.visit_all(visit);
        }
        self.parts[self.count] = part;
        self.count += 1;
    }

    fn last(&self) -> Option<&Part> {
        self.parts[..self.count].last()
    }

    /// Visits what is left in the batch. `Unknown`: something in it, or in one before, could not be read.
    pub fn finish(&mut self, visit: &mut Visitor<'_>) -> Result<(), Unknown> {
        self.visit_all(visit);
        self.result
    }

    fn visit_all(&mut self, visit: &mut Visitor<'_>) {
        let parts = &self.parts[..self.count];
        let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return };
        let whole = reading::whole_pages(Range::new(first.range.start, last.range.end));
        let mut result = self.result;
        self.pages.for_each_run(whole, Wanted::Own, |run, presence| {
            for part in parts {
                result = result.and(part.visit(run, presence, visit));
            }
        });
        self.result = result;
        self.count = 0;
    }
}
