//! Unchanged: large mappings of the program's are not read again where nobody has written to them.
//!
//! A database's cache or a column of numbers may be gigabytes, most of it the same for hours and without a single address
//! of ours. Of each such mapping a bit a page is kept: *quiet*, no word of it may be an address. A quiet page is passed over
//! until the kernel says that it was written ([`written`]); it is then read like the others, and judged anew.
//!
//! ```text
//!   page      0  1  2  3  4
//!   quiet     1  1  0  1  1     page 2 holds an address: read in each collection
//!   written            x        page 3: read, and quiet again if there is none in it
//! ```
//!
//! What counts as an address is what lies in the whole range that the heap has reserved, not only in the part that it uses:
//! so quiet pages stay so while the heap grows. A protected page costs its first writer a fault of the kernel's, under a
//! microsecond, which is more than reading it takes. So a mapping that is written to a lot is left alone for a while, and
//! for longer each time.
//!
//! Where addresses may be disguised, all is read.
//!
//! Holds:   a quiet page holds no word that lies in `within`, for as long as the kernel does not list it as written.
//! Threads: the collecting thread; the world is stopped, so nobody writes between the question and the reading.

use super::{
    Source, Unknown, Visitor,
    blind::{Place, is_blind},
    contents,
    reading::{self, Manner},
};
use crate::{
    base::addr::{Addr, Range},
    collect::{
        disguise::{Forms, Where},
        filter, settings,
        table::List,
    },
    heap::cage,
    os::{
        maps::Mapping,
        mem::{self, PAGE},
        pages::{Pages, Presence, Wanted},
        written,
    },
};
use bitvec::{order::Lsb0, slice::BitSlice};

/// Smaller mappings are read: it takes no longer than asking.
pub const LARGE_BYTES: usize = 16 << 20;
/// A mapping of which more than one page in so many was written is left alone for a while.
const BUSY_SHARE: usize = 4;
/// As many pages as are not too many when a part of them was written.
const UNKNOWN: usize = usize::MAX / BUSY_SHARE;
/// For so many collections, at first and at most.
const REST_MIN: u32 = 4;
const REST_MAX: u32 = 1024;
/// How often a descriptor is opened: programs may close it.
const ATTEMPTS_MAX: u32 = 16;

/// A mapping, and which of its pages are quiet.
#[derive(Clone, Copy)]
struct Area {
    range: Range,
    /// A bit a page.
    quiet: Addr,
    /// Pages that held something when they were read last.
    present: usize,
    /// Collections for which it is still left alone, and for how many it is the next time.
    rest: u32,
    rest_next: u32,
    /// Whether the kernel's list still had it.
    is_listed: bool,
}

impl Area {
    fn quiet(&self) -> &'static mut BitSlice<u64, Lsb0> {
        // SAFETY: `quiet` has a bit for each page, and only the collecting thread uses them, one slice at a time.
        let words = unsafe { core::slice::from_raw_parts_mut(self.quiet.as_ptr::<u64>(), self.words()) };
        BitSlice::from_slice_mut(words)
    }

    fn words(&self) -> usize {
        (self.range.bytes() / PAGE).div_ceil(u64::BITS as usize)
    }

    fn page(&self, at: Addr) -> usize {
        (at - self.range.start) / PAGE
    }

    fn at(&self, page: usize) -> Addr {
        self.range.start + page * PAGE
    }

    fn give_up(&self) {
        mem::unmap(self.quiet, self.words() * size_of::<u64>());
    }

    /// Learns which pages were written. `false`: the kernel does not know, or they were many.
    fn ask(&mut self) -> bool {
        let mut count = 0;
        let asked = written::for_each(self.range, |part| {
            if is_blind(Place::Written) {
                return;
            }
            self.quiet()[self.page(part.start)..self.page(part.end)].fill(false);
            count += part.bytes() / PAGE;
        });
        if asked.is_err() {
            self.is_listed = false;
        } else if count * BUSY_SHARE > self.present {
            self.rest = self.rest_next;
            self.rest_next = (self.rest_next * 2).min(REST_MAX);
        } else {
            self.rest_next = REST_MIN;
        }
        asked.is_ok() && self.rest == 0
    }
}

/// See the module's documentation.
pub struct Unchanged {
    /// Whether a descriptor was opened, and how often.
    is_open: bool,
    attempts: u32,
    areas: List<Area>,
    /// What addresses lie in.
    within: Range,
    /// Every page is to be read now: by somebody who judges us.
    is_doubted: bool,
}

impl Unchanged {
    /// Nothing, without memory.
    pub const fn new() -> Self {
        Unchanged {
            is_open: false,
            attempts: 0,
            areas: List::new(),
            within: Range { start: Addr::NULL, end: Addr::NULL },
            is_doubted: false,
        }
    }

    /// Has the next enumeration read every page, and learn nothing from it.
    pub fn doubt(&mut self) {
        self.is_doubted = true;
    }

    /// Begins an enumeration of the mappings.
    pub fn begin(&mut self) {
        if self.is_open && !written::is_open() {
            // Closed by the program, or we are a forked child: nothing is protected.
            self.forget(|_| false);
            self.is_open = false;
            written::close();
        }
        let within = cage::reserved_hull();
        if within != self.within {
            self.within = within;
            self.areas.as_slice().iter().for_each(|area| area.quiet().fill(false));
        }
    }

    /// Ends it: mappings that were not met are no more.
    pub fn end(&mut self) {
        if !core::mem::take(&mut self.is_doubted) {
            self.forget(|area| area.is_listed);
            self.areas.as_mut_slice().iter_mut().for_each(|area| area.is_listed = false);
        }
    }

    fn forget(&mut self, is_kept: impl Fn(&Area) -> bool) {
        let mut index = 0;
        while let Some(area) = self.areas.as_slice().get(index) {
            if is_kept(area) {
                index += 1;
            } else {
                area.give_up();
                self.areas.swap_remove(index);
            }
        }
    }

    /// Looks at a mapping of data. Its quiet pages need not be read: which one it is, for [`visit`](Self::visit).
    pub fn find(&mut self, mapping: &Mapping<'_>) -> Option<usize> {
        let is_open = !contents::is_closed(mapping) && !mapping.executable;
        let is_anonymous = is_open && !mapping.file && !mapping.shared && mapping.name.is_empty();
        let is_wanted = settings::track() && !self.is_doubted && !Forms::of(Where::Root).are_disguised();
        if !is_anonymous || mapping.range.bytes() < LARGE_BYTES || !is_wanted {
            return None;
        }
        let known = self.areas.as_slice().iter().position(|area| area.range == mapping.range);
        let Some(index) = known else { return self.add(mapping.range) };
        let area = &mut self.areas.as_mut_slice()[index];
        area.is_listed = true;
        if area.rest > 0 {
            area.rest -= 1;
            return None;
        }
        let is_quiet = area.ask();
        if area.rest > 0 {
            // Nothing is known of it when it is looked at again.
            area.quiet().fill(false);
            area.present = UNKNOWN;
        }
        is_quiet.then_some(index)
    }

    /// Begins to watch a mapping.
    fn add(&mut self, range: Range) -> Option<usize> {
        if !self.is_open && self.attempts < ATTEMPTS_MAX {
            self.is_open = written::open();
            self.attempts = if self.is_open { self.attempts + 1 } else { ATTEMPTS_MAX };
        }
        // Registered first: memory for the bits would else become part of the mapping, should it lie beside it.
        if !self.is_open || !written::register(range) {
            return None;
        }
        let quiet = mem::map((range.bytes() / PAGE).div_ceil(u64::BITS as usize) * size_of::<u64>())?;
        let mut area = Area { range, quiet, present: UNKNOWN, rest: 0, rest_next: REST_MIN, is_listed: true };
        if area.ask() && self.areas.push(area).is_ok() {
            return Some(self.areas.len() - 1);
        }
        area.give_up();
        None
    }

    /// Visits what holds something in a part of a mapping and is not quiet, and learns which pages are.
    pub fn visit(&mut self, area: usize, pages: &Pages, part: Range, visit: &mut Visitor<'_>) -> Result<(), Unknown> {
        let within = self.within;
        let area = &mut self.areas.as_mut_slice()[area];
        let whole = Range::new(part.start.align_up(PAGE), part.end.align_down(PAGE));
        if whole.start >= whole.end {
            return visit_plainly(pages, part, visit);
        }
        let mut result = visit_plainly(pages, Range::new(part.start, whole.start), visit).and(visit_plainly(
            pages,
            Range::new(whole.end, part.end),
            visit,
        ));
        let (mut page, end) = (area.page(whole.start), area.page(whole.end));
        area.present = area.quiet().count_ones();
        while let Some(first) = area.quiet()[page..end].first_zero().map(|distance| page + distance) {
            let run_end = area.quiet()[first..end].first_one().map_or(end, |distance| first + distance);
            let run = Range::new(area.at(first), area.at(run_end));
            pages.for_each_run(run, Wanted::Own, |run, presence| {
                area.present += run.bytes() / PAGE;
                if presence == Presence::Present {
                    visit_loud(area, run, within, visit);
                } else {
                    result = result.and(visit_run(run, presence, visit));
                }
            });
            page = run_end;
        }
        result
    }
}

fn visit_plainly(pages: &Pages, part: Range, visit: &mut Visitor<'_>) -> Result<(), Unknown> {
    let mut result = Ok(());
    pages.for_each_run(reading::whole_pages(part), Wanted::Own, |run, presence| {
        result = result.and(visit_run(run.intersect(part), presence, visit));
    });
    result
}

fn visit_run(run: Range, presence: Presence, visit: &mut Visitor<'_>) -> Result<(), Unknown> {
    reading::visit_run(run, presence, Manner::AsTheyAre, Source::Static, visit)
}

/// Visits the pages of a run that are not quiet. All of them are in memory.
fn visit_loud(area: &Area, run: Range, within: Range, visit: &mut Visitor<'_>) {
    let mut loud = run.start;
    let mut page = run.start;
    while page < run.end {
        let next = page + PAGE;
        let mut is_quiet = true;
        // SAFETY: the page is in memory, and may be read.
        unsafe { filter::words_within(Range::new(page, next), within, |_| is_quiet = false) };
        if is_quiet {
            area.quiet().set(area.page(page), true);
            visit_some(Range::new(loud, page), visit);
            loud = next;
        }
        page = next;
    }
    visit_some(Range::new(loud, run.end), visit);
}

fn visit_some(range: Range, visit: &mut Visitor<'_>) {
    if !range.is_empty() {
        visit(Source::Static, range);
    }
}
