//! Condemned objects: with `collect=verify`, what a collection would have reclaimed stays, and is reported when the program
//! touches it.
//!
//! An object is touched only by an address that the search did not find: it is hidden, or lies where nobody looks. Without
//! this mode the object would be somebody else's by then. Three nets catch an access:
//!
//! ```text
//!   barred pages    a read, a write, a jump                     at once, by a fault    pages, guarded
//!   calls           free, realloc, what is passed to the kernel   at once                the doors
//!   sums            a write, wherever the object lies             at the next collection
//! ```
//!
//! A condemned object is treated like a slot in a magazine: it is marked before the search begins, so it is never scanned nor
//! swept, and nothing is kept by it. Once it has been reported it is *pardoned*: it is pinned, and with it all that it
//! reaches goes on as if nothing had been. So each hidden address is reported once.
//!
//! What is kept is bounded: by as many bytes as were live, at least 64 MiB, and by a quarter of the heap's limit. Beyond that
//! the oldest are given up, as every collection does without this mode; they are counted, and nobody will see them
//! touched.
//!
//! Holds:   a condemned object is allocated, and its contents are what they were when it was condemned, unless somebody who
//!          is to be reported has written there.
//! Threads: the tables' lock; [`is_on`] may be asked anywhere.

pub mod guarded;
mod pages;
mod report;

pub use report::{Access, Report};

use super::{
    Marker,
    allocate::with_tables,
    roots::blind::{Place, is_blind},
    settings::{self, Mode},
    stats::COUNTERS,
    table::{List, Map},
    tables::Tables,
    trace,
};
use crate::{
    base::{
        addr::{Addr, Ambiguous, Range},
        sync::{AtomicBool, Ordering},
    },
    heap::{
        cage, fast, pressure,
        resolve::{self, Slot},
        sweep::{self, Swept},
        units,
    },
};
use pages::Pages;

/// So many bytes are kept in any case.
const BYTES_MIN: usize = 64 << 20;
/// So many accesses are described; the others are counted.
const DESCRIBED_MAX: u64 = 256;

/// Whether unreachable objects are condemned.
#[inline]
pub fn is_on() -> bool {
    settings::mode() == Mode::Verify
}

/// Whether a door looks for faults, so that pages may be barred.
static HAS_HANDLER: AtomicBool = AtomicBool::new(false);

/// Pages may be barred from now on: who touches one is passed to [`note_fault`].
pub fn note_handler() {
    // Relaxed: read by collections, which stop whoever stores it.
    HAS_HANDLER.store(true, Ordering::Relaxed);
}

/// Where an object comes from.
#[derive(Clone, Copy, Default)]
struct Birth {
    site: usize,
    bytes: usize,
    is_guarded: bool,
}

#[derive(Clone, Copy, Default)]
struct Condemned {
    collection: u64,
    sum: u64,
    /// The next sweep takes it, unless something reaches it again.
    is_given_up: bool,
}

/// See the module's documentation.
pub struct Objects {
    objects: Map<Condemned>,
    /// The objects and their collections, the oldest first. Who is not in the map as one of that collection is gone.
    order: List<(usize, u64)>,
    /// Those that the next sweep is to take.
    given: List<usize>,
    bytes: usize,
    pages: Pages,
    births: Map<Birth>,
    reports: List<Report>,
    /// Where faults have opened pages of late, so that a thread that has met the same page goes on.
    opened: [Opened; OPENED],
    opened_next: usize,
    given_up: u64,
    accesses: u64,
}

const OPENED: usize = 16;

#[derive(Clone, Copy)]
struct Opened {
    range: Range,
    /// A page that faults more often than there may be threads is closed by somebody else.
    faults_left: u32,
}

const FAULTS_MAX: u32 = 1024;

/// What a fault is.
pub enum Fault {
    /// None of ours.
    Foreign,
    /// The page is open now: the instruction can be made again.
    Again,
    /// The same, and this is to be said.
    Access(Report),
}

impl Objects {
    /// None, without memory.
    pub const fn new() -> Self {
        Objects {
            objects: Map::new(),
            order: List::new(),
            given: List::new(),
            bytes: 0,
            pages: Pages::new(),
            births: Map::new(),
            reports: List::new(),
            opened: [Opened { range: Range { start: Addr::NULL, end: Addr::NULL }, faults_left: 0 }; OPENED],
            opened_next: 0,
            given_up: 0,
            accesses: 0,
        }
    }

    /// Makes the list ready for marking: what has been written to is reported, and what is too much given up. All that
    /// stays is marked. The world is stopped.
    pub(super) fn begin(&mut self, pins: &mut Map<usize>, marker: &mut Marker) {
        if !self.objects.is_empty() {
            self.look_over(pins, marker);
        }
    }

    #[cold]
    #[inline(never)]
    fn look_over(&mut self, pins: &mut Map<usize>, marker: &mut Marker) {
        self.look_for_writes(pins);
        self.give_up_beyond(bytes_max());
        self.objects.for_each(|object, condemned| {
            if !condemned.is_given_up {
                marker.mark_cached(&[object.get()]);
            }
        });
    }

    /// Condemns what has not been marked, which is marked then. Marking is done, and the sweep comes next.
    #[cold]
    #[inline(never)]
    pub(super) fn condemn(&mut self) {
        let collection = COUNTERS.collections.load(Ordering::Relaxed) + 1;
        sweep::for_each_allocated_word(
            |class| !class.kind().traits().is_uncollectable(),
            |class, unit, index, allocated| {
                let word = &units::words(unit)[index];
                sweep::for_each_slot(class, unit, index, allocated & !word.marked.load(Ordering::Relaxed), |start| {
                    if let Some(slot) = resolve::locate(start)
                        && self.condemn_one(&slot, collection)
                    {
                        word.mark_allocated(slot.bit());
                    }
                });
            },
        );
        // Those given up that something has reached after all live on.
        while let Some(object) = self.given.pop() {
            if self.objects.get(Addr::new(object)).is_some_and(|condemned| condemned.is_given_up) {
                self.objects.remove(Addr::new(object));
            }
        }
    }

    /// `false`: the sweep is to take it.
    fn condemn_one(&mut self, slot: &Slot, collection: u64) -> bool {
        if self.objects.get(slot.start()).is_some_and(|condemned| condemned.is_given_up) {
            self.objects.remove(slot.start());
            self.forget_birth(slot.start());
            self.given_up += 1;
            return false;
        }
        let condemned = Condemned { collection, sum: sum_of(slot), is_given_up: false };
        if self.order.push((slot.start().get(), collection)).is_err()
            || self.objects.insert(slot.start(), condemned).is_err()
        {
            self.given_up += 1;
            return false;
        }
        self.bytes += slot.bytes();
        if HAS_HANDLER.load(Ordering::Relaxed) && !is_blind(Place::Barred) {
            self.pages.add(slot);
        }
        true
    }

    /// Counts what is condemned as reclaimed, as it would be.
    pub(super) fn correct(&self, swept: &mut Swept) {
        swept.live_objects -= (self.objects.len() as u64).min(swept.live_objects);
        swept.live_bytes -= (self.bytes as u64).min(swept.live_bytes);
    }

    fn look_for_writes(&mut self, pins: &mut Map<usize>) {
        let mut first = 0;
        // Pardoning one changes the map; each that is found is one less to find.
        while let Some(slot) = self.next_written(&mut first) {
            if let Some(report) = self.take_access(&slot, Access::Written, slot.start(), pins) {
                // Without memory it is only counted.
                let _ = self.reports.push(report);
            }
        }
    }

    fn next_written(&self, first: &mut usize) -> Option<Slot> {
        let order = self.order.as_slice();
        while let Some(&(object, collection)) = order.get(*first) {
            *first += 1;
            let Some(slot) = resolve::object_at(Addr::new(object)) else { continue };
            let condemned = self.objects.get(slot.start()).filter(|condemned| condemned.collection == collection);
            if is_blind(Place::Sums) {
                continue;
            }
            if condemned.is_some_and(|condemned| !self.pages.bars(&slot) && sum_of(&slot) != condemned.sum) {
                return Some(slot);
            }
        }
        None
    }

    fn give_up_beyond(&mut self, bytes_max: usize) {
        let mut gone = 0;
        while self.bytes > bytes_max && gone < self.order.len() {
            let (object, collection) = self.order.as_slice()[gone];
            gone += 1;
            let Some(slot) = resolve::object_at(Addr::new(object)) else { continue };
            let Some(condemned) = self.objects.get_mut(slot.start()) else { continue };
            // Without memory it stays a while longer.
            if condemned.collection == collection && self.given.push(object).is_ok() {
                condemned.is_given_up = true;
                self.bytes -= slot.bytes();
                self.pages.remove(&slot);
            }
        }
        self.order.remove_front(gone);
    }

    /// Takes an object out of the list; its pages are open then.
    fn remove(&mut self, slot: &Slot) -> Option<Condemned> {
        let condemned = self.objects.remove(slot.start())?;
        if !condemned.is_given_up {
            self.bytes -= slot.bytes();
            self.pages.remove(slot);
        }
        Some(condemned)
    }

    /// The condemned object of a slot has been touched: what is to be said. All that it reaches is as it was before.
    fn take_access(&mut self, slot: &Slot, access: Access, address: Addr, pins: &mut Map<usize>) -> Option<Report> {
        let condemned = self.remove(slot)?;
        self.accesses += 1;
        if access != Access::Free {
            fast::note_attached(slot.start());
            // Without memory the object may be condemned again.
            let _ = pins.insert(slot.start(), 1);
        }
        self.pardon_reached(slot);
        let birth = self.births.get(slot.start()).unwrap_or_default();
        let report = Report {
            access,
            address,
            object: slot.start(),
            bytes: if birth.bytes != 0 { birth.bytes } else { slot.object_bytes() },
            collection: condemned.collection,
            site: birth.site,
            is_last: self.accesses == DESCRIBED_MAX,
        };
        (self.accesses <= DESCRIBED_MAX).then_some(report)
    }

    /// Takes all that an object reaches out of the list; what only a procedure of the program's can find is left there.
    fn pardon_reached(&mut self, slot: &Slot) {
        let mut found = List::<usize>::new();
        let mut next = Some(*slot);
        while let Some(slot) = next {
            if slot.class().kind().traits().is_conservative() {
                trace::children(&slot, |word| {
                    if let Some(child) = resolve::resolve(word)
                        && self.remove(&child).is_some()
                    {
                        // Without memory its own children stay condemned.
                        let _ = found.push(child.start().get());
                    }
                });
            }
            next = found.pop().and_then(|object| resolve::object_at(Addr::new(object)));
        }
        found.release();
    }

    fn forget_birth(&mut self, object: Addr) {
        if self.births.remove(object).is_some_and(|birth| birth.is_guarded) {
            guarded::note_gone();
        }
    }
}

fn bytes_max() -> usize {
    let live_bytes = COUNTERS.live_bytes_last.load(Ordering::Relaxed) as usize;
    live_bytes.max(BYTES_MIN).min(pressure::limit_bytes() / 4)
}

/// A number that is another after most changes of an object's words.
fn sum_of(slot: &Slot) -> u64 {
    let mut sum = 0u64;
    // SAFETY: the slot is in use and its pages are open.
    unsafe {
        trace::words(Range::sized(slot.start(), slot.bytes()), |Ambiguous(word)| {
            sum = (sum.rotate_left(5) ^ word as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        });
    }
    sum
}

/// An object of `bytes` has been allocated by a call that returns to `site`; `None`: it has pages of its own if it had them
/// before.
pub fn note_birth(object: Addr, bytes: usize, site: usize, is_guarded: Option<bool>) {
    with_tables(|tables| {
        let births = &mut tables.condemned.births;
        let was_guarded = births.get(object).is_some_and(|birth| birth.is_guarded);
        let is_guarded = is_guarded.unwrap_or(was_guarded);
        // Without memory it is not known where the object comes from.
        if births.insert(object, Birth { site, bytes: bytes.max(1), is_guarded }).is_ok() && is_guarded && !was_guarded
        {
            guarded::note_made();
        }
    });
}

/// An object is freed by hand, by a call from `site`: what is to be said of that. The caller is inside its gate.
pub(super) fn note_free(tables: &mut Tables, slot: &Slot) -> Option<Report> {
    let Tables { condemned, pins, .. } = tables;
    let report = condemned.take_access(slot, Access::Free, slot.start(), pins);
    condemned.forget_birth(slot.start());
    report.filter(|_| !is_blind(Place::Calls))
}

/// The program does something with the address of an object, if it is a condemned one: what is to be said.
pub fn note_use(address: Addr, access: Access) -> Option<Report> {
    let is_unseen = match access {
        Access::Resize => is_blind(Place::Calls),
        Access::Passed(_) => is_blind(Place::Passed),
        _ => false,
    };
    if is_unseen || !cage::contains(address) {
        return None;
    }
    with_tables(|tables| {
        let Tables { condemned, pins, .. } = tables;
        let slot = resolve::resolve(Ambiguous(address.get()))?;
        condemned.take_access(&slot, access, address, pins)
    })
    .flatten()
}

/// The calling thread has touched `address`, and has not been let.
pub fn note_fault(address: Addr, access: Access) -> Fault {
    if !cage::contains(address) {
        return Fault::Foreign;
    }
    let fault = with_tables(|tables| {
        let Tables { condemned, pins, .. } = tables;
        let slot = resolve::resolve(Ambiguous(address.get()));
        let Some(slot) = slot.filter(|slot| condemned.objects.get(slot.start()).is_some()) else {
            return condemned.note_late_fault(address);
        };
        condemned.opened[condemned.opened_next % OPENED] =
            Opened { range: Range::sized(slot.start(), slot.bytes()), faults_left: FAULTS_MAX };
        condemned.opened_next += 1;
        condemned.take_access(&slot, access, address, pins).map_or(Fault::Again, Fault::Access)
    });
    // Inside its gate a thread touches no object that may be condemned.
    fault.unwrap_or(Fault::Foreign)
}

impl Objects {
    /// A fault at what is not condemned: another thread may have opened the page meanwhile.
    fn note_late_fault(&mut self, address: Addr) -> Fault {
        let page = Range::sized(address.align_down(crate::os::mem::PAGE), crate::os::mem::PAGE);
        let is_here = |opened: &&mut Opened| !opened.range.intersect(page).is_empty() && opened.faults_left != 0;
        match self.opened.iter_mut().find(is_here) {
            Some(opened) => {
                opened.faults_left -= 1;
                Fault::Again
            }
            None => Fault::Foreign,
        }
    }
}

/// Says what collections have found. Outside the gate.
pub fn print_reports() {
    while let Some(report) = with_tables(|tables| tables.condemned.reports.pop()).flatten() {
        report.print(&[]);
    }
}

/// What a process that ends has to say: writes since the last collection, and figures.
pub fn at_exit() {
    with_tables(|tables| {
        let Tables { condemned, pins, .. } = tables;
        condemned.look_for_writes(pins);
    });
    print_reports();
}

/// Objects condemned now and their bytes, those given up so far, and the accesses seen.
pub fn figures() -> [u64; 4] {
    with_tables(|tables| {
        let objects = &tables.condemned;
        [objects.objects.len() as u64, objects.bytes as u64, objects.given_up, objects.accesses]
    })
    .unwrap_or_default()
}
