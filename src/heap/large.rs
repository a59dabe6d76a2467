//! Large objects: a run of units each.
//!
//! The first unit's block entry says how many units there are, its first bit word has the object's two bits, and each
//! later unit knows the first.
//!
//! Holds: a large object ends before its last unit does, so an address one past its end is still its own.

use super::{
    Request, ages, announce,
    cage::{self, CAGE, Taken, Unit},
    centre,
    gate::Inside,
    kind::Kind,
    pressure, remains,
    resolve::Slot,
    size_class::UNIT,
    surplus,
    units::{self, Class},
};
use crate::base::{
    addr::{Addr, Range},
    sync::Ordering,
};

fn units_for(bytes: usize) -> Option<u32> {
    u32::try_from(bytes.checked_add(1)?.div_ceil(UNIT)).ok()
}

/// A large object. `None`: the heap has no room.
pub fn allocate(inside: &Inside<'_>, request: &Request) -> Option<Addr> {
    let Request { bytes, align, kind, zeroed } = *request;
    let count = units_for(bytes)?;
    let taken = centre::take_units(Class::large(kind), count, u32::try_from(align.div_ceil(UNIT)).ok()?)?;
    let start = cage::addr_of(taken.first);
    announce::note_taken(Range::sized(start, count as usize * UNIT));
    // SAFETY: the units are ours since `take_units`, and nobody knows them.
    unsafe { clear(kind, &taken, count, zeroed) };
    set_up(taken.first, count, bytes);
    let word = &units::words(taken.first)[0];
    word.marked.store(0, Ordering::Relaxed);
    word.allocated.store(1, Ordering::Relaxed);
    if ages::are_kept() {
        ages::make_young(taken.first, 0, 1);
    }
    units::publish(taken.first, 1, Class::large(kind));
    units::publish(taken.first + 1, count - 1, Class::large_rest(kind));
    pressure::note_allocated(inside.mutator(), count as usize * UNIT);
    surplus::look_and_watch(inside);
    Some(start)
}

/// Makes units zero that have to be, or only those with remains where these may not be handed out.
///
/// # Safety
/// The units are the caller's, and hold nothing yet.
unsafe fn clear(kind: Kind, taken: &Taken, count: u32, zeroed: bool) {
    let is_zeroed = zeroed || kind.traits().is_zeroed();
    // SAFETY: by the caller's promise.
    let zero = |first, count| unsafe {
        core::ptr::write_bytes(cage::addr_of(first).as_ptr::<u8>(), 0, count as usize * UNIT);
    };
    if is_zeroed && !taken.is_zero {
        zero(taken.first, count);
    }
    if is_zeroed || taken.is_zero || kind.is_cleared_of_remains() {
        let is_clear = is_zeroed || taken.is_zero;
        remains::take_each(taken.first, count, |unit| {
            if !is_clear {
                zero(unit, 1);
            }
        });
    }
}

fn set_up(first: Unit, count: u32, bytes: usize) {
    let block = units::block(first);
    block.units.store(count, Ordering::Relaxed);
    block.requested.store(bytes, Ordering::Relaxed);
    for unit in first + 1..first + count {
        units::head_of_rest(unit).store(first, Ordering::Relaxed);
    }
}

/// Frees a large object. `false`: it was free already.
pub fn free(inside: &Inside<'_>, slot: &Slot) -> bool {
    let bytes = slot.bytes();
    let is_given = give(slot);
    if is_given {
        pressure::note_freed(inside.mutator(), bytes);
        surplus::look_and_watch(inside);
    }
    is_given
}

/// Gives the units of a large object in use back. `false`: it was free already.
pub(super) fn give(slot: &Slot) -> bool {
    // The exchange decides between two threads that free the same object.
    if units::words(slot.unit())[0].allocated.swap(0, Ordering::AcqRel) != 1 {
        return false;
    }
    give_up(slot.unit());
    true
}

/// Gives the units of a large object back to the cage.
pub(super) fn give_up(first: Unit) {
    let count = units::block(first).units.load(Ordering::Relaxed);
    remains::give_up(first, count);
    units::publish(first, count, Class::FREE);
    if let Some(cage) = CAGE.lock().as_mut() {
        cage.give(first, count);
    }
}

/// Makes a large object's size `bytes` where it is: gives back its last units, or takes the free ones behind it.
/// `false`: it has to move.
pub fn resize(inside: &Inside<'_>, slot: &Slot, bytes: usize) -> bool {
    let Some(wanted) = units_for(bytes) else { return false };
    let first = slot.unit();
    let count = units::block(first).units.load(Ordering::Relaxed);
    let kind = slot.class().kind();
    if wanted < count {
        units::publish(first + wanted, count - wanted, Class::FREE);
        units::block(first).units.store(wanted, Ordering::Relaxed);
        if let Some(cage) = CAGE.lock().as_mut() {
            cage.give(first + wanted, count - wanted);
        }
        pressure::note_freed(inside.mutator(), (count - wanted) as usize * UNIT);
        surplus::look(inside);
    } else if wanted > count {
        let more = wanted - count;
        let taken = {
            let mut cage = CAGE.lock();
            let Some(cage) = cage.as_mut() else { return false };
            if cage.used_bytes() + more as usize * UNIT > pressure::limit_bytes() {
                return false;
            }
            let Some(taken) = cage.take_at(first + count, more) else { return false };
            taken
        };
        // SAFETY: the units are ours since `take_at`, and nobody knows them.
        unsafe { clear(kind, &taken, more, false) };
        set_up(first, wanted, bytes);
        units::publish(first + count, more, Class::large_rest(kind));
        pressure::note_allocated(inside.mutator(), more as usize * UNIT);
    }
    units::block(first).requested.store(bytes, Ordering::Relaxed);
    true
}
