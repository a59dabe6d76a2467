//! Mappings: behind malloc, every private writable one that the program has is a root.
//!
//! The kernel's list is read after the stop: it is right in the middle of a `dlclose`, has what other namespaces loaded,
//! and needs no lock. A forked child goes by it behind either door: it has more, and the loader's lock may be lost there.
//!
//! Holds:   what is left out of a mapping is not visited, and of the rest every page that holds something is.
//! Threads: the collecting thread; the world is stopped. That mappings are roots is said by any thread, for ever.

use super::{
    Myself, Source, Unknown, Visitor,
    blind::{Place, is_blind},
    left_out::LeftOut,
    made_code, reading,
    stacks::{self, Used},
};
use crate::{
    base::{
        addr::{Addr, Range},
        sync::{AtomicBool, Ordering},
    },
    collect::hiding,
    heap::mutator,
    os::{
        maps::{self, Mapping, Pages},
        mem, memcheck, rendezvous, sys,
    },
};

/// Whether every mapping of the program is a root. Relaxed: the stop lies between who said so and who collects, or it is
/// the same thread.
static ARE_ROOTS: AtomicBool = AtomicBool::new(false);

/// Makes every private writable mapping a root.
pub fn make_roots() {
    ARE_ROOTS.store(true, Ordering::Relaxed);
}

/// Whether every private writable mapping is a root.
pub fn are_roots() -> bool {
    ARE_ROOTS.load(Ordering::Relaxed)
}

/// The used part of a stack up to this size is read without asking which of its pages are there: a thread stands on it, so
/// most are, and reading them costs less than asking the kernel.
const SHORT_STACK_BYTES: usize = 4 * mem::PAGE;

/// Every private writable mapping, less what is left out.
pub fn visit(myself: Myself<'_>, left_out: &LeftOut, visit: &mut Visitor<'_>) -> Result<(), Unknown> {
    let pages = Pages::open();
    let main_sp = mutator::find(sys::process_id()).and_then(|record| stacks::own_stack_from(record, myself));
    let mut is_known = true;
    let is_listed = maps::for_each(|mapping| {
        is_known &= !hiding::forbids_reclaiming(&mapping);
        let is_made_code = made_code::is_in(&mapping);
        let may_hold_pointers = mapping.writable && mapping.readable && !mapping.shared;
        if !(is_made_code || may_hold_pointers) || !is_the_programs(mapping.range, myself) || is_unseen(&mapping) {
            return;
        }
        if is_made_code {
            left_out.without(mapping.range, |part| made_code::visit(&pages, part, visit));
        } else {
            visit_data(&pages, &mapping, main_sp, left_out, visit);
        }
    });
    if is_listed && is_known { Ok(()) } else { Err(Unknown) }
}

/// A mapping of data, or of stacks; the main thread's from `main_sp` on.
fn visit_data(
    pages: &Pages,
    mapping: &Mapping<'_>,
    main_sp: Option<Addr>,
    left_out: &LeftOut,
    visit: &mut Visitor<'_>,
) {
    let mut range = mapping.range;
    if mapping.stack && main_sp.is_some_and(|sp| range.contains(sp)) {
        range.start = main_sp.unwrap_or(range.start);
    }
    if mapping.stack && is_blind(Place::StackTop) {
        range.end = rendezvous::first_frame().max(range.start);
    }
    let source = if mapping.stack { Source::Stack } else { Source::Static };
    left_out.without(range, |part| {
        let used = left_out.used_stack(part);
        let Used { frames, control } = used.seen();
        if used.control.end - used.frames.start <= SHORT_STACK_BYTES {
            Used { frames, control }.visit(visit);
        } else {
            reading::visit_present(pages, frames, Source::Stack, visit);
            reading::visit_present(pages, control, Source::ThreadLocal, visit);
        }
        reading::visit_present(pages, Range::new(used.control.end, part.end), source, visit);
    });
}

/// Whether the search is blind to a mapping.
fn is_unseen(mapping: &Mapping<'_>) -> bool {
    let place = match mapping.name {
        _ if made_code::is_in(mapping) => Place::Code,
        _ if mapping.file => Place::Files,
        b"[heap]" => Place::Brk,
        b"[stack]" => return false,
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
