//! Barred pages: those on which there is nothing but condemned objects may not be touched.
//!
//! An object of several pages, or one that [`guarded`](super::guarded) has given a page of its own, has such pages as soon
//! as it is condemned; smaller ones when their neighbours on the page are condemned, too. How much of a page is condemned
//! is added up, so that nobody has to look at neighbours. A large object is barred as a whole.
//!
//! Each run of barred pages is a mapping of its own for the kernel, and parts another in two. A process has some 65,000: when
//! half of them may be taken so, no further page is barred.
//!
//! Holds:   a barred page can be read and written again before one of its slots is anybody's.
//! Threads: under the tables' lock.

use crate::{
    base::addr::{Addr, Range},
    collect::table::Map,
    heap::{cage, resolve::Slot},
    os::mem::{self, PAGE, Protection},
};

const RUNS_MAX: usize = 16 << 10;

const BARRED: Protection = Protection { read: false, write: false, execute: false };

#[derive(Clone, Copy, Default)]
struct Page {
    condemned_bytes: u32,
    is_barred: bool,
}

/// See the module's documentation.
pub struct Pages {
    pages: Map<Page>,
    runs: usize,
}

impl Pages {
    /// None, without memory.
    pub const fn new() -> Self {
        Pages { pages: Map::new(), runs: 0 }
    }

    /// The object of the slot is condemned. Without memory to remember it by, its pages stay open.
    pub fn add(&mut self, slot: &Slot) {
        if slot.class().is_large() {
            if self.pages.insert(slot.start(), Page { condemned_bytes: 0, is_barred: true }).is_ok()
                && !self.bar(Range::sized(slot.start(), slot.bytes()))
            {
                self.pages.remove(slot.start());
            }
            return;
        }
        for_each_page(slot, |page, bytes| {
            let mut now = self.pages.get(page.start).unwrap_or_default();
            now.condemned_bytes += bytes;
            if now.condemned_bytes as usize == slots_in(slot, page) && !now.is_barred {
                now.is_barred = self.bar(page);
            }
            if self.pages.insert(page.start, now).is_err() && now.is_barred {
                self.open(page);
            }
        });
    }

    /// The object of the slot is not condemned any more: its pages are open when this returns.
    pub fn remove(&mut self, slot: &Slot) {
        if slot.class().is_large() {
            if self.pages.remove(slot.start()).is_some() {
                self.open(Range::sized(slot.start(), slot.bytes()));
            }
            return;
        }
        for_each_page(slot, |page, bytes| {
            let Some(now) = self.pages.get_mut(page.start) else { return };
            now.condemned_bytes -= bytes.min(now.condemned_bytes);
            let is_barred = core::mem::take(&mut now.is_barred);
            if now.condemned_bytes == 0 {
                self.pages.remove(page.start);
            }
            if is_barred {
                self.open(page);
            }
        });
    }

    /// Whether some page of the slot is barred.
    pub fn bars(&self, slot: &Slot) -> bool {
        if slot.class().is_large() {
            return self.is_barred(slot.start());
        }
        let mut is_any = false;
        for_each_page(slot, |page, _| is_any |= self.is_barred(page.start));
        is_any
    }

    fn is_barred(&self, start: Addr) -> bool {
        self.pages.get(start).is_some_and(|page| page.is_barred)
    }

    fn bar(&mut self, range: Range) -> bool {
        // One between two others makes one run of them.
        let runs = (self.runs + 1).saturating_sub(self.neighbours(range));
        let is_barred = runs <= RUNS_MAX && mem::protect(range, BARRED);
        if is_barred {
            self.runs = runs;
        }
        is_barred
    }

    fn open(&mut self, range: Range) {
        // What the kernel refuses for want of mappings it cannot be asked otherwise: the page would stay barred for good.
        if !mem::protect(range, cage::protection()) {
            crate::fatal!("verify: the system does not open a page again; allow more mappings (vm.max_map_count)");
        }
        self.runs = (self.runs + self.neighbours(range)).saturating_sub(1);
    }

    /// How many of the pages beside a range are barred.
    fn neighbours(&self, range: Range) -> usize {
        let before = Addr::new(range.start.get().saturating_sub(PAGE));
        usize::from(self.is_barred(before)) + usize::from(self.is_barred(range.end))
    }
}

/// The pages that a small slot lies on, and how many of its bytes lie there.
fn for_each_page(slot: &Slot, mut visit: impl FnMut(Range, u32)) {
    let all = Range::sized(slot.start(), slot.bytes());
    let mut page = Range::sized(all.start.align_down(PAGE), PAGE);
    while page.start < all.end {
        visit(page, page.intersect(all).bytes() as u32);
        page = Range::sized(page.end, PAGE);
    }
}

/// How many bytes of a page are slots of the block that the slot is in.
fn slots_in(slot: &Slot, page: Range) -> usize {
    let shape = slot.class().shape();
    let slots = Range::sized(cage::addr_of(slot.unit()), shape.slots as usize * shape.slot_bytes as usize);
    slots.intersect(page).bytes()
}
