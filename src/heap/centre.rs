//! The centre of a class: its blocks with room that no thread has claimed.
//!
//! ```text
//!            claim                     give back, with room
//!   Listed  -------->  Claimed  ------------------------------>  Listed
//!     ^                   |  give back, with little or no room
//!     |                   v
//!     +----------------  Full      (a thread that frees enough into it)
//! ```
//!
//! A block that is wholly free goes back to the cage, from any state but Claimed; the heap's first one stays.
//!
//! Giving back and freeing meet in one race: the giver sees little room and says Full, while a thread frees the slots
//! that would make room and sees Claimed, so neither lists the block. Both write first and read then, in one total order
//! (`Block::state`, `Block::free`): the giver stores Full and then reads `free` again, the freeing thread adds to `free`
//! and then reads the state.
//!
//! Holds:   the list has exactly the class's blocks in state Listed. Checked by `verify`.
//! Threads: a centre is a lock, taken once a block, not once a slot.

use super::{
    cage::{self, CAGE, Unit},
    kind::KINDS_MAX,
    mutator, pressure, remains,
    size_class::{Shape, UNIT},
    units::{self, CLASS_WORDS, Class, State},
};
use crate::{
    base::{
        addr::{Addr, Range},
        sync::{AtomicBool, Ordering},
    },
    os::lock::{Guard, Lock, Rank},
};

/// The block that begins here is never given up: the heap's address stands in the tables that say where the heap is, among
/// the roots, and keeps the object that begins there. It is to stay a small one.
const FIRST_UNIT: Unit = 0;

/// The list's head: unit + 1, or zero.
pub struct Centre {
    first: u32,
}

#[cfg_attr(debug_assertions, unsafe(link_section = ".tables"))]
#[cfg_attr(not(debug_assertions), unsafe(link_section = ".bss.tables"))]
static CENTRES: [Lock<Centre>; CLASS_WORDS] = [const { Lock::new(Rank::Centre, Centre { first: 0 }) }; CLASS_WORDS];

/// Whether a class's list has ever had a block, and a kind's.
#[unsafe(link_section = ".bss.tables")]
static USED: [AtomicBool; CLASS_WORDS] = [const { AtomicBool::new(false) }; CLASS_WORDS];
static KINDS_USED: [AtomicBool; KINDS_MAX] = [const { AtomicBool::new(false) }; KINDS_MAX];

fn note_used(class: Class) {
    let used = &USED[class.index()];
    // Relaxed: read with the world stopped.
    if !used.load(Ordering::Relaxed) {
        used.store(true, Ordering::Relaxed);
        KINDS_USED[class.kind().number() as usize].store(true, Ordering::Relaxed);
    }
}

/// The centres of all classes, which hold nothing that points into the heap.
pub fn table() -> Range {
    Range::sized(Addr::of(CENTRES.as_ptr()), size_of_val(&CENTRES))
}

fn centre(class: Class) -> Guard<'static, Centre> {
    CENTRES[class.index()].lock()
}

/// The room at which a full block is worth listing: a sixteenth of its slots.
fn worth_listing(shape: &Shape) -> u32 {
    (shape.slots / 16).max(1)
}

/// The room that a block's counter `free` stands for. It is below zero for a moment where a slot has been taken again
/// before the thread that freed it has counted it: no room, or a claimer would get the same used-up block for ever.
#[inline]
fn room(shape: &Shape, free: u32) -> u32 {
    if free > shape.slots { 0 } else { free }
}

/// A block of the class for the caller to refill from; its own until given back. `None`: no room in the heap.
#[unsafe(link_section = ".text.hot")]
pub fn claim(class: Class) -> Option<Unit> {
    let mut centre = centre(class);
    if centre.first != 0 {
        let unit = centre.first - 1;
        centre.unlist(unit);
        units::block(unit).set_state(State::Claimed);
        remains::begin_claim(unit);
        return Some(unit);
    }
    take_block(class)
}

/// Ends a claim, of a block that is used up or has slots that were not looked at.
pub fn give_back(class: Class, unit: Unit, is_used_up: bool) {
    let mut centre = centre(class);
    remains::end_claim(unit, is_used_up);
    let block = units::block(unit);
    block.pristine_from.store(u32::MAX, Ordering::Relaxed);
    block.set_state(State::Full);
    centre.settle(class, unit);
}

/// Ends a claim; the caller puts the block where it belongs. The world is stopped.
pub(super) fn end_claim(unit: Unit) {
    remains::end_claim(unit, false);
    let block = units::block(unit);
    block.pristine_from.store(u32::MAX, Ordering::Relaxed);
    block.set_state(State::Full);
}

/// Slots were freed into the block. Lists it if it has become worth it, and gives it up if it is wholly free.
#[inline]
pub fn note_room(class: Class, unit: Unit) {
    let block = units::block(unit);
    // Relaxed: it is at least what our addition has made it, and the thread whose addition made it enough sees that.
    let free = block.free.load(Ordering::Relaxed);
    let shape = class.shape();
    let matters = match block.state() {
        State::Claimed => false,
        State::Listed => free == shape.slots,
        State::Full => room(shape, free) >= worth_listing(shape),
    };
    if matters {
        settle_again(class, unit);
    }
}

#[cold]
#[unsafe(link_section = ".text.hot")]
fn settle_again(class: Class, unit: Unit) {
    let mut centre = centre(class);
    // Since we looked, another thread may have claimed the block, or given it up and the unit may be another's.
    if units::class_of(unit) == class && units::head_of_small(unit, class.shape()) == unit {
        centre.settle(class, unit);
    }
}

impl Centre {
    /// Puts an unclaimed block where its room says it belongs.
    #[unsafe(link_section = ".text.hot")]
    fn settle(&mut self, class: Class, unit: Unit) {
        let (block, shape) = (units::block(unit), class.shape());
        let free = block.free.load(Ordering::SeqCst);
        match block.state() {
            State::Claimed => {}
            // The only listed block stays even if it is empty: the class is likely to want it back.
            State::Listed
                if free == shape.slots
                    && unit != FIRST_UNIT
                    && (block.next.load(Ordering::Relaxed) != 0 || self.first != unit + 1) =>
            {
                self.unlist(unit);
                give_up(class, unit);
            }
            State::Listed => {}
            State::Full if free == shape.slots && unit != FIRST_UNIT && self.first != 0 => give_up(class, unit),
            State::Full if room(shape, free) >= worth_listing(shape) => self.list(class, unit),
            State::Full => {}
        }
    }

    fn list(&mut self, class: Class, unit: Unit) {
        note_used(class);
        let block = units::block(unit);
        block.previous.store(0, Ordering::Relaxed);
        block.next.store(self.first, Ordering::Relaxed);
        if self.first != 0 {
            units::block(self.first - 1).previous.store(unit + 1, Ordering::Relaxed);
        }
        self.first = unit + 1;
        block.set_state(State::Listed);
    }

    fn unlist(&mut self, unit: Unit) {
        let block = units::block(unit);
        let (previous, next) = (block.previous.load(Ordering::Relaxed), block.next.load(Ordering::Relaxed));
        match previous {
            0 => self.first = next,
            previous => units::block(previous - 1).next.store(next, Ordering::Relaxed),
        }
        if next != 0 {
            units::block(next - 1).previous.store(previous, Ordering::Relaxed);
        }
    }
}

/// Takes units from the cage, within the heap's limit; where a collection is due before the heap grows, only units whose
/// pages it has.
#[unsafe(link_section = ".text.hot")]
pub(super) fn take_units(class: Class, count: u32, align: u32) -> Option<super::cage::Taken> {
    let mut cage = CAGE.lock();
    let cage = cage.as_mut()?;
    if cage.used_bytes() + count as usize * UNIT > pressure::limit_bytes() {
        return None;
    }
    match pressure::is_growth_withheld(cage.held_bytes()) {
        true => cage.take_idle(count, align).or_else(|| {
            note_refused(class);
            None
        }),
        false => cage.take(count, align),
    }
}

/// Tells the calling thread's allocation why it gets nothing. By the time that it looks, another thread may have collected,
/// or let the heap grow: that a collection is not due any more says nothing.
#[cold]
fn note_refused(class: Class) {
    if let Some(mutator) = mutator::current() {
        mutator.refused_class.store(class.index() as u32, Ordering::Relaxed);
    }
}

fn take_block(class: Class) -> Option<Unit> {
    let shape = class.shape();
    let taken = take_units(class, shape.units, shape.units)?;
    let block = units::block(taken.first);
    for word in &units::words(taken.first)[..shape.words()] {
        word.allocated.store(0, Ordering::Relaxed);
        word.marked.store(0, Ordering::Relaxed);
    }
    block.free.store(shape.slots, Ordering::Relaxed);
    block.pristine_from.store(if taken.is_zero { 0 } else { u32::MAX }, Ordering::Relaxed);
    block.set_state(State::Claimed);
    if remains::take(taken.first, shape.units, taken.is_zero) {
        clear_tail(taken.first, shape);
    }
    units::publish(taken.first, shape.units, class);
    Some(taken.first)
}

/// Zeroes what lies behind a block's last slot: no claim gets there.
fn clear_tail(unit: Unit, shape: &Shape) {
    let slots_bytes = shape.slots as usize * shape.slot_bytes as usize;
    let tail = Range::sized(cage::addr_of(unit) + slots_bytes, shape.units as usize * UNIT - slots_bytes);
    // SAFETY: the units are ours since they were taken, and nobody knows them.
    unsafe { core::ptr::write_bytes(tail.start.as_ptr::<u8>(), 0, tail.bytes()) };
}

/// Gives a wholly free, unlisted block's units back to the cage.
fn give_up(class: Class, unit: Unit) {
    let shape = class.shape();
    remains::give_up(unit, shape.units);
    units::publish(unit, shape.units, Class::FREE);
    if let Some(cage) = CAGE.lock().as_mut() {
        cage.give(unit, shape.units);
    }
}

/// Empties all lists. The world is stopped; the caller lists every block anew.
pub(super) fn forget_all() {
    // Relaxed: the world is stopped.
    let is_used = |used: &AtomicBool| used.load(Ordering::Relaxed);
    let classes_of_kind = CLASS_WORDS / KINDS_MAX;
    for kind in (0..KINDS_MAX).filter(|&kind| is_used(&KINDS_USED[kind])) {
        let classes = kind * classes_of_kind..(kind + 1) * classes_of_kind;
        classes.filter(|&class| is_used(&USED[class])).for_each(|class| CENTRES[class].lock().first = 0);
    }
}

/// Puts an unclaimed block where its room says it belongs, its old place forgotten. The world is stopped.
pub(super) fn place(class: Class, unit: Unit) {
    let (block, shape) = (units::block(unit), class.shape());
    let free = block.free.load(Ordering::Relaxed);
    block.set_state(State::Full);
    if free == shape.slots && unit != FIRST_UNIT {
        give_up(class, unit);
    } else if free >= worth_listing(shape) {
        centre(class).list(class, unit);
    }
}

/// Visits the blocks on a class's list while `visit` wants more. The world is stopped.
pub(super) fn for_each_listed(class: Class, mut visit: impl FnMut(Unit) -> bool) {
    let mut next = centre(class).first;
    while next != 0 && visit(next - 1) {
        next = units::block(next - 1).next.load(Ordering::Relaxed);
    }
}
