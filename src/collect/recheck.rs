//! Recheck: a second marker, slow and simple, that judges the first.
//!
//! It has its own bitmap, one bit for each 16 bytes of the heap, its own stack with room for every object, and no tricks: no
//! ring, no filter, no budget. Both are mapped before the roots are looked for: a table that moved meanwhile would be one of
//! the mappings that are read as roots. From the same roots it must reach exactly the objects that the first marker has marked,
//! less those that magazines hold. Where trace procedures may write it may reach fewer: they may have cleared what the first
//! marker has followed.

use super::{
    displacement::Rule,
    ephemeron::Pair,
    roots::{self, Source},
    table::{List, Map, NoMemory},
    trace::{self, Sink},
    weak_object::WeakObject,
};
use crate::{
    base::{
        addr::{Addr, Ambiguous, Range},
        sync::Ordering,
    },
    heap::{
        cage,
        kind::Kind,
        resolve::{self, Slot},
        size_class::{GRANULE, UNIT},
        sweep, units,
    },
    os::mem,
};

/// Where the two markers disagree.
#[derive(Clone, Copy, Debug)]
pub enum Disagreement {
    /// Reached from `parent` (an object, or a root when null) and not marked: it would have been lost.
    Lost {
        /// The object.
        object: Addr,
        /// Who points to it.
        parent: Addr,
    },
    /// Marked and not reached, and no trace procedure may have cut the way there: it would have been kept for nothing.
    Kept {
        /// The object.
        object: Addr,
    },
}

/// The second marker.
pub struct Recheck<'a> {
    /// The slots that magazines hold, sorted: free, whatever points to them.
    cached: &'a [usize],
    reached: Addr,
    bytes: usize,
    stack: List<usize>,
    /// Ephemerons to be looked at, and those whose keys have not been reached.
    ephemerons: List<usize>,
    waiting: Waiting,
    rule: Rule,
    lost: Option<Disagreement>,
}

/// Ephemerons by the objects that their keys are: a chain of entries each, which are numbered from 1.
struct Waiting {
    chains: Map<usize>,
    /// An ephemeron, and the entry that follows; zero: none does.
    entries: List<(usize, usize)>,
}

impl Waiting {
    fn add(&mut self, key: Addr, ephemeron: usize) -> Result<(), NoMemory> {
        let next = self.chains.insert(key, self.entries.len() + 1)?.unwrap_or(0);
        self.entries.push((ephemeron, next))
    }

    /// Moves those with this key to a list.
    fn take(&mut self, key: Addr, list: &mut List<usize>) -> Result<(), NoMemory> {
        let mut entry = self.chains.remove(key).unwrap_or(0);
        while entry != 0 {
            let (ephemeron, next) = self.entries.as_slice()[entry - 1];
            list.push(ephemeron)?;
            entry = next;
        }
        Ok(())
    }
}

impl<'a> Recheck<'a> {
    /// A marker that has reached nothing. `cached`: the slots in magazines, sorted.
    pub fn new(cached: &'a [usize]) -> Result<Self, NoMemory> {
        let granules = cage::frontier() as usize * (UNIT / GRANULE);
        let bytes = (granules / 8).max(1);
        let mut stack = List::new();
        stack.reserve(granules)?;
        let Some(reached) = mem::map(bytes) else {
            stack.release();
            return Err(NoMemory);
        };
        let waiting = Waiting { chains: Map::new(), entries: List::new() };
        let (ephemerons, rule) = (List::new(), Rule::of_now());
        let recheck = Recheck { cached, reached, bytes, stack, ephemerons, waiting, rule, lost: None };
        // Free, but nothing that could die.
        cached.iter().filter_map(|&start| resolve::object_at(Addr::new(start))).for_each(|slot| {
            recheck.set(&slot);
        });
        Ok(recheck)
    }

    /// Reaches what a root range points to, and leaves following it to [`judge`](Self::judge): while roots are enumerated
    /// no memory may be mapped, or it would be listed as one.
    pub fn root(&mut self, source: Source, range: Range) {
        // SAFETY: root ranges may be read while the world is stopped.
        unsafe {
            roots::words(source, range, |word| {
                for (slot, inside) in inside_or_before(word) {
                    if self.is_kept(&slot, inside, source.lets_any_inside_keep()) {
                        self.note(&slot, Addr::NULL);
                    }
                }
            });
        }
    }

    /// Whether an address inside a slot keeps what is there.
    fn is_kept(&self, slot: &Slot, inside: usize, lets_any_inside_keep: bool) -> bool {
        let (kind, displacement) = (slot.class().kind(), inside - slot.start().get());
        if lets_any_inside_keep {
            self.rule.keeps_from_anywhere(kind, displacement)
        } else {
            self.rule.keeps(kind, displacement)
        }
    }

    /// Reaches the uncollectable object at `start`, which is a root whole, unless it is in a magazine.
    pub fn root_object(&mut self, start: Addr) {
        if self.cached.binary_search(&start.get()).is_ok() {
            return;
        }
        self.reach(resolve::object_at(start), Addr::NULL);
    }

    fn set(&self, slot: &Slot) -> bool {
        let offset = slot.start().get() - cage::addr_of(slot.unit()).get();
        let granule = slot.unit() as usize * (UNIT / GRANULE) + offset / GRANULE;
        // SAFETY: one bit for each granule below the frontier was mapped.
        let byte = unsafe { &mut *(self.reached + granule / 8).as_ptr::<u8>() };
        let bit = 1u8 << (granule % 8);
        let is_new = *byte & bit == 0;
        *byte |= bit;
        is_new
    }

    fn reach(&mut self, slot: Option<Slot>, parent: Addr) {
        if let Some(slot) = slot.filter(|slot| self.note(slot, parent)) {
            self.push(slot.start());
        }
    }

    /// Reaches what a word of an object points to.
    fn follow(&mut self, word: Ambiguous, parent: Addr) {
        let rule = self.rule;
        self.reach(resolve::resolve(word).filter(|slot| rule.keeps_slot(slot, word.0)), parent);
    }

    /// Notes that `parent` reaches the slot; `true` when it was not reached before.
    fn note(&mut self, slot: &Slot, parent: Addr) -> bool {
        let is_new = self.set(slot);
        if is_new && !slot.word().is_marked(slot.bit()) && self.lost.is_none() {
            self.lost = Some(Disagreement::Lost { object: slot.start(), parent });
        }
        if is_new && !self.waiting.chains.is_empty() {
            self.waiting.take(slot.start(), &mut self.ephemerons).unwrap_or_else(no_memory_for_ephemerons);
        }
        is_new
    }

    fn push(&mut self, object: Addr) {
        if self.stack.push(object.get()).is_err() {
            crate::fatal!("recheck: no memory for its stack; run it with less live data");
        }
    }

    /// Pushes what the roots reach.
    fn push_reached(&mut self) {
        sweep::for_each_allocated_word(
            |_| true,
            |class, unit, index, allocated| {
                sweep::for_each_slot(class, unit, index, allocated, |start| {
                    if self.is_reached(start.get()) {
                        self.push(start);
                    }
                });
            },
        );
    }

    fn drain(&mut self) {
        while let Some(start) = self.stack.pop() {
            let Some(slot) = resolve::object_at(Addr::new(start)) else { continue };
            if self.cached.binary_search(&start).is_ok() {
                continue;
            }
            let traits = slot.class().kind().traits();
            if traits.is_weak() {
                self.note_ephemerons(&slot);
            }
            if traits.is_root() {
                // SAFETY: an object in use.
                unsafe {
                    trace::words(Range::sized(slot.start(), slot.bytes()), |word| {
                        for (found, inside) in inside_or_before(word) {
                            if self.is_kept(&found, inside, false) {
                                self.reach(Some(found), slot.start());
                            }
                        }
                    });
                }
                continue;
            }
            trace::children(&slot, |word: Ambiguous| self.follow(word, slot.start()));
        }
    }

    /// Notes the pair that the object is, or those that are in it. Weak words lead nowhere.
    fn note_ephemerons(&mut self, slot: &Slot) {
        match slot.class().kind() {
            Kind::EPHEMERON => self.note_ephemeron(Pair::at(slot.start())),
            Kind::EPHEMERONS => {
                WeakObject::of(*slot).iter().flat_map(WeakObject::pairs).for_each(|pair| self.note_ephemeron(pair))
            }
            _ => {}
        }
    }

    fn note_ephemeron(&mut self, pair: Pair) {
        if pair.key() != 0 {
            self.ephemerons.push(pair.address().get()).unwrap_or_else(no_memory_for_ephemerons);
        }
    }

    /// Follows ephemerons: those whose keys have not been reached are looked at again when that happens.
    fn follow_ephemerons(&mut self) {
        while let Some(address) = self.ephemerons.pop() {
            let pair = Pair::at(Addr::new(address));
            match resolve::resolve(Ambiguous(pair.key())).filter(|key| !self.is_reached(key.start().get())) {
                Some(key) => self.waiting.add(key.start(), address).unwrap_or_else(no_memory_for_ephemerons),
                None => {
                    self.follow(Ambiguous(pair.value()), pair.address());
                    self.drain();
                }
            }
        }
    }

    /// Whether the object that `address` lies in has been reached, or there is none that could die.
    fn is_reached(&self, address: usize) -> bool {
        let Some(slot) = resolve::resolve(Ambiguous(address)) else { return true };
        let offset = slot.start().get() - cage::addr_of(slot.unit()).get();
        let granule = slot.unit() as usize * (UNIT / GRANULE) + offset / GRANULE;
        // SAFETY: one bit for each granule below the frontier was mapped.
        unsafe { *(self.reached + granule / 8).as_ptr::<u8>() >> (granule % 8) & 1 == 1 }
    }

    /// Finishes, and compares with the marks: the first disagreement.
    pub fn judge(mut self) -> Option<Disagreement> {
        self.push_reached();
        self.drain();
        self.follow_ephemerons();
        let mut kept = None;
        if self.lost.is_none() && !trace::may_procedures_write() {
            sweep::for_each_allocated_word(
                |_| true,
                |class, unit, index, allocated| {
                    let marked = allocated & units::words(unit)[index].marked.load(Ordering::Relaxed);
                    sweep::for_each_slot(class, unit, index, marked, |start| {
                        let is_cached = self.cached.binary_search(&start.get()).is_ok();
                        if kept.is_none() && !is_cached && !self.is_reached(start.get()) {
                            kept = Some(Disagreement::Kept { object: start });
                        }
                    });
                },
            );
        }
        mem::unmap(self.reached, self.bytes);
        self.stack.release();
        self.ephemerons.release();
        self.waiting.chains.release();
        self.waiting.entries.release();
        self.lost.or(kept)
    }
}

/// The object that a word of a root points into, and the one that ends there, each with an address inside it.
fn inside_or_before(word: Ambiguous) -> impl Iterator<Item = (Slot, usize)> {
    let before = resolve::resolve_end(word).map(|slot| (slot, word.0 - 1));
    resolve::resolve(word).map(|slot| (slot, word.0)).into_iter().chain(before)
}

/// What the push hook reports. Objects that it keeps are among those that are not to be scanned.
impl Sink for Recheck<'_> {
    fn word(&mut self, word: Ambiguous) {
        let rule = self.rule;
        if let Some(slot) = resolve::resolve(word).filter(|slot| rule.keeps_slot(slot, word.0)) {
            self.note(&slot, Addr::NULL);
        }
    }

    unsafe fn words(&mut self, range: Range) {
        self.root(Source::Range, range);
    }

    unsafe fn stack(&mut self, range: Range) {
        self.root(Source::Stack, range);
    }

    fn keep(&mut self, _: Addr) {}
}

#[cold]
fn no_memory_for_ephemerons(_: NoMemory) {
    crate::fatal!("recheck: no memory for its list of ephemerons; run it with less live data")
}
