//! Verify: walks every unit and checks what the rest of the heap relies on.
//!
//! It reports the first thing that is wrong, by what and where; it changes nothing.

use super::{
    cage::{self, CAGE, Unit},
    centre,
    fiber::Fiber,
    mutator::{self, Mutator},
    resolve, sweep,
    units::{self, CLASS_WORDS, Class, State},
};
use crate::base::{addr::Addr, bits, sync::Ordering};

/// What is wrong, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A block's count of free slots is not the number of its clear bits.
    FreeCount(Unit),
    /// Bits are set past a block's last slot.
    BitsPastEnd(Unit),
    /// Marks are set outside a collection.
    StaleMarks(Unit),
    /// A unit has a class, and the cage says it is free, or the other way round.
    Usage(Unit),
    /// A block's units do not all have its class.
    Torn(Unit),
    /// A later unit of a large object does not know its first.
    LostHead(Unit),
    /// A block is on a list and not in state Listed, on the wrong list, or listed and on no list.
    List(Unit),
    /// A cached slot is not a slot of its magazine's class, or its bit says free.
    Cached(Addr),
    /// A slot is cached twice.
    CachedTwice(Addr),
    /// What the record of a fiber says cannot be.
    Fiber(Addr),
    /// A block or a large object is of a kind that nobody has made.
    Kind(Unit),
}

/// Checks the heap. The world is stopped, or the caller is the only thread; no collection is under way.
pub fn check() -> Result<(), Fault> {
    let mut listed = 0usize;
    let mut unit = 0;
    while unit < cage::frontier() {
        let class = units::class_of(unit);
        if class != Class::FREE && !class.kind().exists() {
            return Err(Fault::Kind(unit));
        }
        let count = if class.is_small() {
            listed += usize::from(units::block(unit).state() == State::Listed);
            check_block(class, unit)?;
            class.shape().units
        } else if class.is_large() {
            check_large(class, unit)?
        } else {
            check_free(unit)?;
            1
        };
        unit += count;
    }
    check_lists(listed)?;
    check_magazines()?;
    check_fibers()
}

fn is_used(unit: Unit) -> bool {
    CAGE.lock().as_ref().is_some_and(|cage| cage.is_used(unit))
}

fn check_free(unit: Unit) -> Result<(), Fault> {
    // The unused number at the end of a span is used and nobody's: it has no committed memory behind it.
    let is_gap = cage::unit_of(cage::addr_of(unit)) != Some(unit);
    if is_used(unit) && !is_gap { Err(Fault::Usage(unit)) } else { Ok(()) }
}

fn check_block(class: Class, unit: Unit) -> Result<(), Fault> {
    let (block, shape) = (units::block(unit), class.shape());
    if units::head_of_small(unit, shape) != unit {
        return Err(Fault::Torn(unit));
    }
    for part in unit..unit + shape.units {
        if !is_used(part) {
            return Err(Fault::Usage(part));
        }
        if units::class_of(part) != class {
            return Err(Fault::Torn(part));
        }
    }
    let mut in_use = 0;
    for (index, word) in units::words(unit)[..shape.words()].iter().enumerate() {
        let allocated = word.allocated.load(Ordering::Relaxed);
        if allocated & !bits::low_mask(shape.slots as usize - index * 64) != 0 {
            return Err(Fault::BitsPastEnd(unit));
        }
        if word.marked.load(Ordering::Relaxed) != 0 {
            return Err(Fault::StaleMarks(unit));
        }
        in_use += allocated.count_ones();
    }
    if shape.slots - in_use != block.free.load(Ordering::Relaxed) {
        return Err(Fault::FreeCount(unit));
    }
    Ok(())
}

fn check_large(class: Class, unit: Unit) -> Result<u32, Fault> {
    if !class.is_large_head() {
        return Err(Fault::LostHead(unit));
    }
    let count = units::block(unit).units.load(Ordering::Relaxed);
    for part in unit..unit + count {
        if !is_used(part) {
            return Err(Fault::Usage(part));
        }
        if part > unit {
            if units::class_of(part) != Class::large_rest(class.kind()) {
                return Err(Fault::Torn(part));
            }
            if units::head_of_rest(part).load(Ordering::Relaxed) != unit {
                return Err(Fault::LostHead(part));
            }
        }
    }
    if units::words(unit)[0].marked.load(Ordering::Relaxed) != 0 {
        return Err(Fault::StaleMarks(unit));
    }
    Ok(count)
}

fn check_lists(listed: usize) -> Result<(), Fault> {
    let mut found = 0;
    for index in 0..CLASS_WORDS {
        found += check_list(Class::from_index(index), listed)?;
    }
    if found != listed { Err(Fault::List(Unit::MAX)) } else { Ok(()) }
}

/// Walks one list: how many blocks are on it. A list of more than `most` bites its tail.
fn check_list(class: Class, most: usize) -> Result<usize, Fault> {
    let mut found = 0;
    let mut previous = 0;
    let mut fault = None;
    centre::for_each_listed(class, |unit| {
        let block = units::block(unit);
        let is_right = units::class_of(unit) == class
            && block.state() == State::Listed
            && block.previous.load(Ordering::Relaxed) == previous;
        found += 1;
        if !is_right || found > most {
            fault = Some(Fault::List(unit));
        }
        previous = unit + 1;
        fault.is_none()
    });
    fault.map_or(Ok(found), Err)
}

fn check_magazines() -> Result<(), Fault> {
    let mut fault = None;
    for mutator in mutator::all() {
        // SAFETY: by the contract of `check` no owner runs.
        unsafe {
            mutator.for_each_cached(|class, slots| {
                for (index, &slot) in slots.iter().enumerate() {
                    let slot = Addr::new(slot);
                    match resolve::object_at(slot) {
                        Some(found) if found.class() == class => {}
                        _ => fault = Some(Fault::Cached(slot)),
                    }
                    if slots[..index].contains(&slot.get()) || is_cached_after(mutator, class, slot) {
                        fault = Some(Fault::CachedTwice(slot));
                    }
                }
            });
        }
    }
    fault.map_or(Ok(()), Err)
}

fn check_fibers() -> Result<(), Fault> {
    let mut fault = None;
    sweep::for_each_allocated_word(
        |class| class.kind().traits().is_fiber(),
        |class, unit, index, allocated| {
            sweep::for_each_slot(class, unit, index, allocated, |record| {
                // SAFETY: an object of the kind, in use or zero.
                if !unsafe { Fiber::at(record) }.is_sound() {
                    fault = Some(Fault::Fiber(record));
                }
            });
        },
    );
    fault.map_or(Ok(()), Err)
}

/// Whether a record that comes after `mutator` in the list has the slot in its magazine for the class.
fn is_cached_after(mutator: &Mutator, class: Class, slot: Addr) -> bool {
    // SAFETY: by the contract of `check` no owner runs.
    mutator.followers().any(|other| unsafe { other.magazine(class).cached() }.contains(&slot.get()))
}
