//! Quarantine: what a program frees stays, zeroed, until nothing reaches it.
//!
//! With `free=quarantine` a use after free harms nobody: the object reads as zero and is nobody else's. A second free is
//! met here, and reported with the places of both. A write after free shows in an object that is no longer zero: at the
//! next collection, or at exit, the place of its free and who still points to it are reported.
//!
//! Holds: every object freed and not yet swept is in the map, with the place that freed it.

use super::{
    roots::{self, Myself, Snapshot, Source},
    table::{List, Map, NoMemory},
    tables::Tables,
    trace,
};
use crate::{
    base::{
        addr::{Addr, Ambiguous, Range},
        sync::Ordering,
    },
    heap::{
        resolve::{self, Slot},
        sweep, units,
    },
    os::{dl, log, memcheck},
};

/// A free that is remembered.
#[derive(Clone, Copy, Default)]
struct Freed {
    site: usize,
    is_reported: bool,
}

/// Who still points to an object.
#[derive(Clone, Copy, Debug)]
enum Holder {
    Nobody,
    Root(Source),
    Object(Addr),
}

#[derive(Clone, Copy)]
struct Report {
    object: Addr,
    bytes: usize,
    site: usize,
    holder: Holder,
}

/// All frees that are remembered, and what is to be said about them.
pub struct Quarantine {
    freed: Map<Freed>,
    swept: List<usize>,
    reports: List<Report>,
}

/// A free was the second of its object; where the first was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FreedBefore {
    /// The return address of the first call.
    pub site: usize,
}

impl Quarantine {
    /// Nothing freed, no memory.
    pub const fn new() -> Self {
        Quarantine { freed: Map::new(), swept: List::new(), reports: List::new() }
    }

    /// The object was freed by the call that returns to `site`.
    pub fn note(&mut self, object: Addr, site: usize) -> Result<Result<(), FreedBefore>, NoMemory> {
        if let Some(freed) = self.freed.get(object) {
            return Ok(Err(FreedBefore { site: freed.site }));
        }
        // A collection needs room for all of them, and must not ask for memory.
        self.swept.reserve(self.freed.len() + 1)?;
        self.freed.insert(object, Freed { site, is_reported: false })?;
        Ok(Ok(()))
    }

    /// Looks for objects that have been written to, and forgets those that are about to be swept. The world is stopped
    /// and marking is done.
    fn inspect(&mut self) {
        let Quarantine { freed, swept, reports } = self;
        swept.clear();
        freed.for_each_mut(|object, freed| {
            let Some(slot) = resolve::object_at(object) else {
                let _ = swept.push(object.get());
                return;
            };
            if !freed.is_reported && !is_zero(&slot) {
                // Without memory for the list this one is reported another time.
                freed.is_reported = reports.push(Report::new(&slot, freed.site)).is_ok();
            }
            if !slot.word().is_marked(slot.bit()) {
                // Room was made by `note`.
                let _ = swept.push(object.get());
            }
        });
        for &object in self.swept.as_slice() {
            self.freed.remove(Addr::new(object));
        }
    }
}

impl Report {
    fn new(slot: &Slot, site: usize) -> Report {
        Report { object: slot.start(), bytes: slot.object_bytes(), site, holder: Holder::Nobody }
    }

    fn print(&self) {
        let (object, bytes) = (self.object.get(), self.bytes);
        let site = dl::Place::of(self.site);
        match self.holder {
            Holder::Nobody => log::print(format_args!(
                "gleaner: free: used after free: {object:#x}, an object of {bytes} bytes written after it was freed at \
                 {site}, no longer reachable"
            )),
            Holder::Root(source) => log::print(format_args!(
                "gleaner: free: used after free: {object:#x}, an object of {bytes} bytes written after it was freed at \
                 {site}, still reachable from {}",
                source.name()
            )),
            Holder::Object(parent) => log::print(format_args!(
                "gleaner: free: used after free: {object:#x}, an object of {bytes} bytes written after it was freed at \
                 {site}, still reachable from the object at {:#x}",
                parent.get()
            )),
        }
    }
}

fn is_zero(slot: &Slot) -> bool {
    let mut all = 0;
    // SAFETY: the object is in use until it is swept.
    unsafe { trace::words(Range::sized(slot.start(), slot.bytes()), |word| all |= word.0) };
    all == 0
}

/// Inspects the quarantine in a collection: after marking, before the sweep.
#[cold]
#[inline(never)]
pub(super) fn inspect(tables: &mut Tables, snapshot: &mut Snapshot, myself: Myself<'_>) {
    let before = tables.quarantine.reports.as_slice().len();
    tables.quarantine.inspect();
    for index in before..tables.quarantine.reports.as_slice().len() {
        let report = tables.quarantine.reports.as_slice()[index];
        let holder = find_holder(report.object, tables, snapshot, myself);
        tables.quarantine.reports.as_mut_slice()[index].holder = holder;
    }
}

fn find_holder(object: Addr, tables: &Tables, snapshot: &mut Snapshot, myself: Myself<'_>) -> Holder {
    let mut holder = Holder::Nobody;
    let is_it = |word: Ambiguous| resolve::resolve(word).is_some_and(|slot| slot.start() == object);
    // The roots were enumerated for marking a moment ago.
    let _ = snapshot.for_each(myself, tables, &mut |source, range| {
        // SAFETY: root ranges may be read while the world is stopped.
        unsafe {
            roots::words(source, range, |word| {
                if matches!(holder, Holder::Nobody) && is_it(word) {
                    holder = Holder::Root(source);
                }
            });
        }
    });
    if matches!(holder, Holder::Nobody) {
        sweep::for_each_allocated_word(
            |class| class.kind().traits().may_hold_pointers(),
            |class, unit, index, allocated| {
                let marked = allocated & units::words(unit)[index].marked.load(Ordering::Relaxed);
                sweep::for_each_slot(class, unit, index, marked, |start| {
                    let Some(slot) = resolve::locate(start).filter(|slot| slot.start() != object) else { return };
                    trace::children(&slot, |word| {
                        if matches!(holder, Holder::Nobody) && is_it(word) {
                            holder = Holder::Object(start);
                        }
                    });
                });
            },
        );
    }
    holder
}

/// Says what has been found. Outside the gate: naming a place asks the loader.
pub fn print_reports(mut take: impl FnMut() -> Option<PendingReport>) {
    while let Some(report) = take() {
        report.0.print();
    }
}

/// A report that has not been printed.
pub struct PendingReport(Report);

impl Quarantine {
    /// The next report to print.
    pub fn take_report(&mut self) -> Option<PendingReport> {
        self.reports.pop().map(PendingReport)
    }

    /// At exit: objects written to since the last collection.
    pub fn inspect_at_exit(&mut self) {
        let _unchecked = memcheck::unchecked();
        let Quarantine { freed, reports, .. } = self;
        freed.for_each_mut(|object, freed| {
            if let Some(slot) = resolve::object_at(object).filter(|slot| !freed.is_reported && !is_zero(slot)) {
                freed.is_reported = reports.push(Report::new(&slot, freed.site)).is_ok();
            }
        });
    }
}
