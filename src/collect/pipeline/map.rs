//! The map of a near heap: all that marking asks about a unit, in one place.
//!
//! The heap's own map says of what class a unit is, one table what shape the class has, another how many of its words are
//! looked at, and a sum where the unit's bits are. A marker that finds it all in one line executes a quarter fewer
//! instructions a word. The map is made anew for each collection, in some nanoseconds a unit.
//!
//! Holds:   an entry says what the heap's own map does, as long as the world is stopped.
//! Threads: the marker whose it is.

use crate::{
    base::addr::Addr,
    collect::{item::Item, table::List},
    heap::{
        resolve::View,
        size_class::{GRANULE, UNIT, UNIT_SHAPES, UNIT_SHIFT, UnitShape},
        units::{Class, Word},
    },
};

/// The units of the largest heap that is near, of 256 MiB. From there on objects in random order are marked sooner the other way,
/// which asks for bit words ahead. In a debug build the heaps of tests lie on both sides.
pub(super) const UNITS_MAX: usize = if cfg!(debug_assertions) { 64 } else { 4096 };

/// What is known of a unit.
#[derive(Clone, Copy)]
pub struct Entry {
    reciprocal: u64,
    /// The address of its bit words.
    bits: usize,
    /// An object of its class, at address zero.
    item: Item,
    slot_bytes: u32,
    /// None but in a block of one unit.
    slots: u32,
}

impl Entry {
    fn of(class: Class, bits: usize) -> Entry {
        let &UnitShape { reciprocal, slot_bytes, slots } = &UNIT_SHAPES[class.size_class()];
        Entry { reciprocal, bits, item: Item::new(Addr::NULL, class), slot_bytes, slots }
    }

    /// The slot that an address in this unit lies in, if its block is one unit: most are.
    #[inline(always)]
    pub fn spot(&self, addr: usize) -> Option<Spot> {
        let offset = addr % UNIT;
        let product = (offset / GRANULE) as u64 * self.reciprocal;
        let index = (product >> 32) as u32;
        if index >= self.slots {
            return None;
        }
        let displacement = offset - (index * self.slot_bytes) as usize;
        let word = self.bits + index as usize / 64 * size_of::<Word>();
        Some(Spot { displacement, word, index, item: self.item.moved_by(addr - displacement) })
    }
}

/// A slot of a block of one unit, as far as it is known before its bits are looked at.
#[derive(Clone, Copy)]
pub struct Spot {
    /// How far the address lies behind the slot's first byte.
    pub displacement: usize,
    /// The address of the word of its bits, and their number in the word, in the lowest six bits.
    word: usize,
    index: u32,
    /// The object in the slot, if there is one.
    pub item: Item,
}

impl Spot {
    /// Marks the slot if it is handed out; `true` when it was not marked.
    #[inline(always)]
    pub fn mark(&self) -> bool {
        // SAFETY: a bit word of a unit in use; they are never released.
        unsafe { &*(self.word as *const Word) }.mark_allocated(self.index % u64::BITS)
    }
}

/// See the module's documentation.
pub struct Map {
    entries: List<Entry>,
    /// The number of the first unit, counted from address zero.
    first: usize,
}

impl Map {
    /// A map without memory.
    pub const fn new() -> Self {
        Map { entries: List::new(), first: 0 }
    }

    /// Makes room, for which the system may have no memory.
    pub fn prepare(&mut self) {
        let _ = self.entries.reserve(UNITS_MAX);
    }

    /// Takes over what there is to know of the units of a view. `false`: there is no room.
    pub fn fill(&mut self, view: &View) -> bool {
        self.entries.clear();
        self.first = view.range().start.get() >> UNIT_SHIFT;
        view.range().bytes() >> UNIT_SHIFT <= self.entries.room().min(UNITS_MAX)
            && view.units().all(|(class, bits)| self.entries.push(Entry::of(class, bits)).is_ok())
    }

    /// What is known of the unit that an address lies in.
    ///
    /// # Safety
    /// The address lies in the range of the view.
    #[inline(always)]
    pub unsafe fn entry(&self, addr: usize) -> &Entry {
        // SAFETY: by the caller's promise the map has the unit.
        unsafe { self.entries.as_slice().get_unchecked((addr >> UNIT_SHIFT) - self.first) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::{kind::Kind, size_class::CLASSES_MAX};

    #[test]
    fn an_entry_finds_the_slot_of_every_address_in_its_unit() {
        let start = 0x7f12_3456_0000;
        for class in (0..CLASSES_MAX).map(|size_class| Class::small(Kind::SCANNED, size_class)) {
            let (shape, bits) = (class.shape(), 0x7f00_0000_0440);
            let entry = Entry::of(class, bits);
            for addr in start..start + UNIT {
                let index = (addr - start) / (shape.slot_bytes as usize).max(1);
                let spot = entry.spot(addr);
                assert_eq!(spot.is_some(), shape.units == 1 && index < shape.slots as usize, "{class:?} {addr:#x}");
                let Some(spot) = spot else { continue };
                let slot = start + index * shape.slot_bytes as usize;
                assert_eq!((spot.displacement, spot.item.start()), (addr - slot, Addr::new(slot)));
                assert_eq!(spot.item.word_count(), Item::new(Addr::new(slot), class).word_count());
                assert_eq!(spot.word, bits + index / 64 * size_of::<Word>());
                assert_eq!(spot.index as usize, index);
            }
        }
    }
}
