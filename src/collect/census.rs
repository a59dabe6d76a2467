//! A census: what is on the heap right now, counted with the gates closed.
//!
//! Slots in magazines are free, whatever their bits say. Other threads go on popping and pushing while the bits are
//! read, so a count taken beside running threads is off by what they do meanwhile.

use super::{table::List, world};
use crate::{
    base::sync::Ordering,
    heap::{
        cage::{self, CAGE},
        gate, mutator,
        resolve::{self, Slot},
        size_class::UNIT,
        sweep, units,
    },
};

/// What was counted.
#[derive(Clone, Copy, Default, Debug)]
pub struct Census {
    /// Bytes in units that are taken.
    pub heap_bytes: usize,
    /// Objects in use, by hand or not yet collected, and the bytes of their slots.
    pub in_use_objects: usize,
    /// See `in_use_objects`.
    pub in_use_bytes: usize,
    /// The large ones among them.
    pub large_objects: usize,
    /// See `large_objects`.
    pub large_bytes: usize,
    /// Slots in magazines.
    pub cached_slots: usize,
    /// See `cached_slots`.
    pub cached_bytes: usize,
    /// Free slots of blocks, those in magazines included.
    pub free_slots: usize,
    /// Bytes of free units that still have pages.
    pub releasable_bytes: usize,
}

/// Counts. All zero when the gates could not be closed in time.
pub fn take() -> Census {
    let Some(mutator) = mutator::register() else { return Census::default() };
    let _world = world::hold();
    if world::close_gates(mutator).is_err() {
        return Census::default();
    }
    let census = count();
    gate::open();
    census
}

/// Visits the objects in use, but for those that other threads take or give up meanwhile. What magazines hold is not in use.
/// The caller is inside its gate, so no collection runs. `false`: there is no memory for a list of what magazines hold.
pub fn for_each_object(mut visit: impl FnMut(Slot)) -> bool {
    let mut cached = List::new();
    for record in mutator::all() {
        let mut has_room = true;
        record.for_each_cached_of_moment(|slot| has_room &= cached.push(slot).is_ok());
        if !has_room {
            cached.release();
            return false;
        }
    }
    cached.as_mut_slice().sort_unstable();
    sweep::for_each_allocated_word(
        |_| true,
        |class, unit, index, allocated| {
            sweep::for_each_slot(class, unit, index, allocated, |start| {
                if cached.as_slice().binary_search(&start.get()).is_err()
                    && let Some(slot) = resolve::object_at(start)
                {
                    visit(slot);
                }
            });
        },
    );
    cached.release();
    true
}

fn count() -> Census {
    let mut census = Census::default();
    let mut unit = 0;
    while unit < cage::frontier() {
        let class = units::class_of(unit);
        let block = units::block(unit);
        if class.is_small() {
            let shape = class.shape();
            let free = block.free.load(Ordering::Relaxed);
            census.free_slots += free as usize;
            census.in_use_objects += (shape.slots - free) as usize;
            census.in_use_bytes += (shape.slots - free) as usize * shape.slot_bytes as usize;
            unit += shape.units;
        } else if class.is_large_head() {
            let count = block.units.load(Ordering::Relaxed);
            census.large_objects += 1;
            census.large_bytes += count as usize * UNIT;
            unit += count;
        } else {
            unit += 1;
        }
    }
    for record in mutator::all() {
        record.count_cached(|class, count| {
            census.cached_slots += count;
            census.cached_bytes += count * class.shape().slot_bytes as usize;
        });
    }
    census.in_use_objects = (census.in_use_objects + census.large_objects).saturating_sub(census.cached_slots);
    census.in_use_bytes = (census.in_use_bytes + census.large_bytes).saturating_sub(census.cached_bytes);
    census.free_slots += census.cached_slots;
    if let Some(cage) = CAGE.lock().as_ref() {
        census.heap_bytes = cage.used_bytes();
        census.releasable_bytes = cage::idle_units() as usize * UNIT;
    }
    census
}
