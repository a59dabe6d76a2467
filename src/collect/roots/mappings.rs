//! Mappings: behind malloc, every one in which the program may have stored something is a root.
//!
//! Which ones those are, [`contents`] knows. Of a private one the pages are read that are the process's own, whatever
//! the program may do with them now; neighbours are asked for together ([`batch`](super::batch)).
//!
//! The kernel's list is read after the stop: it is right in the middle of a `dlclose`, has what other namespaces loaded,
//! and needs no lock. A forked child goes by it behind either door: it has more, and the loader's lock may be lost there.
//!
//! Holds:   what is left out of a mapping is not visited, and of the rest every page that holds something is.
//! Threads: the collecting thread; the world is stopped. That mappings are roots is said by any thread, for ever.

use super::{
    Myself, Source, Unknown, Visitor,
    batch::{Batch, Part},
    blind::{Place, is_blind},
    contents::{self, Contents},
    kernel,
    left_out::LeftOut,
    made_code,
    reading::{self, Manner},
    stacks::{self, Used},
    unchanged::{self, Unchanged},
};
use crate::{
    base::{
        addr::{Addr, Range},
        sync::{AtomicBool, Ordering},
    },
    collect::{hiding, profiles},
    heap::mutator,
    os::{
        maps::{self, Mapping},
        mem, memcheck,
        pages::Pages,
        rendezvous, sys,
    },
};

/// Whether every mapping of the program is a root. Relaxed: the stop lies between who said so and who collects, or it is
/// the same thread.
static ARE_ROOTS: AtomicBool = AtomicBool::new(false);

/// Makes every mapping of the program's a root.
pub fn make_roots() {
    ARE_ROOTS.store(true, Ordering::Relaxed);
}

/// Whether every mapping of the program's is a root.
pub fn are_roots() -> bool {
    ARE_ROOTS.load(Ordering::Relaxed)
}

/// The used part of a stack up to this size is read without asking which of its pages are there: a thread stands on it, so
/// most are, and reading them costs less than asking the kernel.
const SHORT_STACK_BYTES: usize = 4 * mem::PAGE;

/// Every mapping that may hold something of the program's, less what is left out.
#[inline(never)]
pub fn visit(
    myself: Myself<'_>,
    left_out: &LeftOut,
    unchanged: &mut Unchanged,
    visit: &mut Visitor<'_>,
) -> Result<(), Unknown> {
    let pages = Pages::open();
    let mut search = Search {
        myself,
        left_out,
        unchanged,
        main_stack: main_stack(myself),
        pages: &pages,
        batch: Batch::new(&pages),
        result: Ok(()),
        visit,
    };
    let mut is_known = true;
    let is_listed = maps::for_each(|mapping| {
        is_known &= !hiding::forbids_reclaiming(&mapping) && !kernel::forbids_reclaiming(&mapping);
        // What was read before would have to be read again.
        is_known &= !profiles::is_news(&mapping);
        search.add(&mapping);
    });
    if is_listed && is_known { search.finish() } else { Err(Unknown) }
}

/// The used part of the main thread's stack, up to its first frame; all of it, if the thread stands elsewhere. Empty in a child
/// whose first thread was another: that has forked, and stands on its own stack still.
fn main_stack(myself: Myself<'_>) -> Range {
    let end = rendezvous::first_frame();
    let Some(main) = mutator::find(sys::process_id()).filter(|main| main.stack().contains(end)) else {
        return Range::default();
    };
    Range::new(stacks::own_stack_from(main, myself).unwrap_or(main.stack().start), end)
}

/// A search on its way through the list.
struct Search<'a, 'b> {
    myself: Myself<'a>,
    left_out: &'a LeftOut,
    unchanged: &'a mut Unchanged,
    /// The used part of the main thread's stack, up to its first frame.
    main_stack: Range,
    pages: &'a Pages,
    batch: Batch<'a>,
    result: Result<(), Unknown>,
    visit: &'a mut Visitor<'b>,
}

impl Search<'_, '_> {
    fn add(&mut self, mapping: &Mapping<'_>) {
        // Under valgrind it takes long to find out whose a large reservation is.
        let contents = contents::of(mapping, self.pages.is_cheap() && !memcheck::is_running());
        // What nobody may read is the program's: it has closed it through us.
        let is_the_programs = || !mapping.readable || is_the_programs(mapping.range, self.myself);
        match contents {
            Contents::Nothing => self.visit_stacks_in(mapping),
            _ if is_unseen(mapping, contents) || !is_the_programs() => {}
            _ if mapping.shared => self.visit_shared(mapping, source_of(contents)),
            _ if self.is_main_stack(mapping) => self.add_main_stack(mapping),
            Contents::Stack => self.add_data(mapping.range, Source::Stack, Manner::of(mapping)),
            Contents::Data | Contents::Code => match self.area_of(mapping) {
                Some(area) => self.visit_area(area, mapping),
                None => self.add_data(mapping.range, source_of(contents), Manner::of(mapping)),
            },
        }
    }

    /// The area that a mapping is, if enough of it is to be read for pages to be passed over. The heap is none: to have its
    /// pages watched would cost a fault for each that is written to between two collections.
    fn area_of(&mut self, mapping: &Mapping<'_>) -> Option<usize> {
        let mut bytes = 0;
        self.left_out.without(mapping.range, |part| bytes += part.bytes());
        if bytes >= unchanged::LARGE_BYTES { self.unchanged.find(mapping) } else { None }
    }

    /// A private mapping, and the stacks in it.
    fn add_data(&mut self, range: Range, source: Source, manner: Manner) {
        let (batch, visit) = (&mut self.batch, &mut *self.visit);
        self.left_out.without(range, |part| {
            let used = self.left_out.used_stack(part);
            let stack = used.seen();
            if used.is_shorter_than(SHORT_STACK_BYTES) && manner == Manner::AsTheyAre {
                stack.visit(visit);
            } else {
                batch.add(Part { range: stack.frames, source: Source::Stack, manner }, visit);
                batch.add(Part { range: stack.control, source: Source::ThreadLocal, manner }, visit);
            }
            batch.add(Part { range: Range::new(used.control.end, part.end), source, manner }, visit);
        });
        if self.left_out.is_in_stack(range.end) || range.end > self.main_stack.start && range.end < self.main_stack.end
        {
            made_code::visit_seam(range.end, visit);
        }
    }

    /// A private mapping with pages that need not be read again, and the stacks in it.
    fn visit_area(&mut self, area: usize, mapping: &Mapping<'_>) {
        self.left_out.without(mapping.range, |part| {
            let used = self.left_out.used_stack(part);
            let Used { frames, control } = used.seen();
            for (range, source) in [(frames, Source::Stack), (control, Source::ThreadLocal)] {
                self.result = self.result.and(reading::visit_mapped(self.pages, mapping, range, source, self.visit));
            }
            let rest = Range::new(used.control.end, part.end);
            self.result = self.result.and(self.unchanged.visit(area, self.pages, rest, self.visit));
        });
    }

    /// Whether the main thread's stack, or a part of it, lies there: the kernel lists it as several mappings where the program
    /// has given a part of it another protection, or locked it, and names the last one only.
    fn is_main_stack(&self, mapping: &Mapping<'_>) -> bool {
        !mapping.range.intersect(self.main_stack).is_empty()
    }

    /// The main thread's stack from where it is used, to its end: arguments and environment lie behind the frames.
    fn add_main_stack(&mut self, mapping: &Mapping<'_>) {
        let mut range = mapping.range;
        range.start = range.start.max(self.main_stack.start);
        if is_blind(Place::StackTop) {
            range.end = rendezvous::first_frame().max(range.start);
        }
        self.add_data(range, Source::Stack, Manner::of(mapping));
    }

    /// A shared mapping, and the stacks in it.
    fn visit_shared(&mut self, mapping: &Mapping<'_>, source: Source) {
        self.left_out.without(mapping.range, |part| {
            let used = self.left_out.used_stack(part);
            let Used { frames, control } = used.seen();
            let rest = Range::new(used.control.end, part.end);
            for (range, source) in [(frames, Source::Stack), (control, Source::ThreadLocal), (rest, source)] {
                self.result = self.result.and(reading::visit_mapped(self.pages, mapping, range, source, self.visit));
            }
        });
    }

    /// The stacks in a mapping that holds nothing else.
    fn visit_stacks_in(&mut self, mapping: &Mapping<'_>) {
        for used in self.left_out.stacks_in(mapping.range) {
            let Used { frames, control } = used.seen();
            for (range, source) in [(frames, Source::Stack), (control, Source::ThreadLocal)] {
                let part = range.intersect(mapping.range);
                self.result = self.result.and(reading::visit_mapped(self.pages, mapping, part, source, self.visit));
            }
        }
    }

    fn finish(mut self) -> Result<(), Unknown> {
        self.result.and(self.batch.finish(self.visit))
    }
}

fn source_of(contents: Contents) -> Source {
    if contents == Contents::Code { Source::Code } else { Source::Static }
}

/// Whether the search is blind to a mapping.
fn is_unseen(mapping: &Mapping<'_>, contents: Contents) -> bool {
    let place = match mapping.name {
        _ if contents == Contents::Code => Place::Code,
        _ if mapping.shared && contents == Contents::Data => Place::Shared,
        b"[stack]" => return false,
        _ if !mapping.shared && contents::is_closed(mapping) => Place::Closed,
        _ if mapping.file => Place::Files,
        b"[heap]" => Place::Brk,
        _ => Place::Anonymous,
    };
    is_blind(place)
}

/// Whether a mapping is the program's, and not valgrind's, which lives in the same address space and keeps the address
/// of every object: a thread stands on it, or memcheck lets the program read the first or last byte of some page.
fn is_the_programs(range: Range, myself: Myself<'_>) -> bool {
    if !memcheck::is_running() {
        return true;
    }
    let is_a_stack = || {
        let mut alive = mutator::all().filter(|record| record.is_alive());
        alive.any(|record| range.contains(stacks::stack_pointer(record, myself)))
    };
    let is_readable = |page: Addr| memcheck::is_addressable(page) || memcheck::is_addressable(page + (mem::PAGE - 1));
    let mut pages = (range.start.get()..range.end.get()).step_by(mem::PAGE);
    is_a_stack() || pages.any(|page| is_readable(Addr::new(page)))
}
