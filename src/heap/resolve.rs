//! Resolve: the one bridge from an ambiguous word to an object.
//!
//! ```text
//!   offset = word - base;  class = classes[offset >> 16];  index = (offset in block / 16 * reciprocal[class]) >> 32
//! ```
//!
//! No division and no chain of dependent loads, so every address can be computed and prefetched.

use super::{
    announce,
    cage::{self, Unit},
    kind::Kind,
    size_class::{GRANULE, UNIT, UNIT_SHIFT},
    units::{self, Class, Word},
};
use crate::{
    base::{
        addr::{Addr, Ambiguous, ObjRef, Range},
        sync::{AtomicBool, Ordering},
    },
    os::memcheck,
};

/// A slot: the place of an object, in use or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot {
    start: Addr,
    unit: Unit,
    index: u32,
    class: Class,
}

impl Slot {
    /// The first byte.
    #[inline(always)]
    pub fn start(&self) -> Addr {
        self.start
    }
    /// The first unit of the slot's block, or of the large object.
    #[inline(always)]
    pub fn unit(&self) -> Unit {
        self.unit
    }
    /// The slot's number in its block.
    #[inline(always)]
    pub fn index(&self) -> usize {
        self.index as usize
    }
    /// Kind and size class.
    #[inline(always)]
    pub fn class(&self) -> Class {
        self.class
    }
    /// The bit word that the slot has a bit in.
    #[inline(always)]
    pub fn word(&self) -> &'static Word {
        &units::words(self.unit)[self.index as usize / 64]
    }
    /// The slot's bit in its word.
    #[inline(always)]
    pub fn bit(&self) -> u32 {
        self.index % 64
    }
    /// Bytes of the slot.
    #[inline]
    pub fn bytes(&self) -> usize {
        if self.class.is_large() {
            units::block(self.unit).units.load(Ordering::Relaxed) as usize * UNIT
        } else {
            self.class.shape().slot_bytes as usize
        }
    }
    /// Bytes of the slot that its object may use: one less where an object has to end before its slot does, and not the
    /// layout word of a typed one.
    #[unsafe(link_section = ".text.hot")]
    pub fn usable_bytes(&self) -> usize {
        if memcheck::is_running() {
            return announce::usable_bytes(self);
        }
        usable_bytes(self.class.kind(), self.bytes())
    }
    /// Bytes of the object, for people: what was asked for where that is known, else the slot's.
    pub fn object_bytes(&self) -> usize {
        if self.class.is_large() { units::block(self.unit).requested.load(Ordering::Relaxed) } else { self.bytes() }
    }
    /// Whether what `malloc` was asked for is a whole number of structures of twelve bytes, as `epoll_event` is on x86-64:
    /// a word and a half, so each second one has its address across two words. Known of large objects.
    pub fn may_hold_packed(&self) -> bool {
        self.class.is_large() && self.class.kind() == Kind::MALLOC && self.object_bytes().is_multiple_of(12)
    }
    /// Whether the slot is handed out.
    #[inline(always)]
    pub fn is_allocated(&self) -> bool {
        self.word().is_allocated(self.bit())
    }
    /// The object in it.
    #[inline(always)]
    pub fn object(&self) -> ObjRef {
        ObjRef::claim(self.start)
    }
}

/// Bytes at the end of a typed slot that hold its layout.
pub const LAYOUT_BYTES: usize = size_of::<usize>();
/// Bytes at the end of the slot of a weak object that hold its tail; a pair of an array of them takes as many.
pub const WEAK_TAIL_BYTES: usize = 3 * size_of::<usize>();

/// Bytes at the end of a slot that are the collector's, and no part of the object.
#[inline]
pub fn tail_bytes(kind: Kind) -> usize {
    if kind.traits().is_typed() {
        LAYOUT_BYTES
    } else if kind.is_weak_object() {
        WEAK_TAIL_BYTES
    } else {
        0
    }
}

/// Bytes of a slot of `slot_bytes` that an object of `kind` may use.
#[inline]
pub fn usable_bytes(kind: Kind, slot_bytes: usize) -> usize {
    let tail_bytes = tail_bytes(kind);
    if tail_bytes != 0 {
        let usable = slot_bytes - tail_bytes;
        return if kind == Kind::EPHEMERONS { usable - usable % WEAK_TAIL_BYTES } else { usable };
    }
    let is_exact = !kind.traits().ends_early() && slot_bytes < super::EXACT_BYTES_END;
    slot_bytes - usize::from(!is_exact)
}

/// The slot that `addr` lies in, in use or not. `None` outside the heap and where no slot is.
#[inline(always)]
pub fn locate(addr: Addr) -> Option<Slot> {
    let unit = cage::unit_of(addr)?;
    let class = units::class_of(unit);
    if !class.is_small() {
        return locate_large(unit, class);
    }
    let shape = class.shape();
    let offset = addr.get() & shape.block_mask as usize;
    let index = shape.index_of(offset);
    if index >= shape.slots as usize {
        return None;
    }
    let start = Addr::new(addr.get() - offset + index * shape.slot_bytes as usize);
    Some(Slot { start, unit: units::head_of_small(unit, shape), index: index as u32, class })
}

/// What [`locate`] reads of the heap's map, taken once: nothing changes it while the world is stopped.
#[derive(Clone, Copy)]
pub struct View {
    base: usize,
    bytes: usize,
    classes: *const u16,
    bits: usize,
}

/// Where a slot is, as the marker wants it: nothing here has to be computed again.
#[derive(Clone, Copy)]
pub struct Place {
    /// The slot's first byte.
    pub start: Addr,
    /// Kind and size class.
    pub class: Class,
    /// Where its bits are.
    pub bits: BitPlace,
}

/// Where a slot's bits are: the address of their word, and above that their number in it. Addresses have 47 bits.
#[derive(Clone, Copy)]
pub struct BitPlace(u64);

const BIT_SHIFT: u32 = 58;

impl BitPlace {
    #[inline(always)]
    fn new(word: usize, bit: usize) -> BitPlace {
        BitPlace((bit as u64) << BIT_SHIFT | word as u64)
    }

    /// The word that has them.
    #[inline(always)]
    pub fn word(self) -> &'static Word {
        // SAFETY: made of the address of a word; they are never released.
        unsafe { &*((self.0 & ((1 << BIT_SHIFT) - 1)) as *const Word) }
    }

    /// Their number in the word.
    #[inline(always)]
    pub fn bit(self) -> u32 {
        (self.0 >> BIT_SHIFT) as u32
    }
}

impl View {
    /// A view of nothing.
    pub const EMPTY: View = View { base: 0, bytes: 0, classes: core::ptr::null(), bits: 0 };

    /// The map as it is. The world is stopped.
    pub fn of_now() -> View {
        let (base, bytes) = cage::first_span();
        let (classes, bits) = units::classes_and_bits();
        View { base, bytes, classes, bits }
    }

    /// The first span.
    pub fn range(&self) -> Range {
        Range::sized(Addr::new(self.base), self.bytes)
    }

    /// The class of each unit of the first span, and the address of its bit words.
    pub fn units(&self) -> impl Iterator<Item = (Class, usize)> {
        (0..self.bytes >> UNIT_SHIFT).map(|unit| {
            // SAFETY: a unit below the end of the first span has an entry.
            let class = unsafe { self.classes.add(unit).read() };
            (Class::from_index(class as usize), self.bits + unit * units::BITS_STRIDE)
        })
    }

    /// The slot that an address lies in, if it is a small one in the first span. All others are [`locate`]'s.
    #[inline(always)]
    pub fn place(&self, addr: usize) -> Option<Place> {
        let offset = addr.wrapping_sub(self.base);
        if offset >= self.bytes {
            return None;
        }
        let unit = offset >> UNIT_SHIFT;
        // SAFETY: a unit below the end of the first span has an entry.
        let class = Class::from_index(unsafe { self.classes.add(unit).read() } as usize);
        // The shapes of free units and of large objects have no slots.
        let shape = class.shape();
        let offset = addr & shape.block_mask as usize;
        let index = shape.index_of(offset);
        if index >= shape.slots as usize {
            return None;
        }
        let start = Addr::new(addr - offset + index * shape.slot_bytes as usize);
        let head = unit & (shape.units as usize).wrapping_neg();
        let word = self.bits + head * units::BITS_STRIDE + index / 64 * size_of::<Word>();
        Some(Place { start, class, bits: BitPlace::new(word, index % 64) })
    }
}

impl From<Slot> for Place {
    fn from(slot: Slot) -> Place {
        let word = core::ptr::from_ref(slot.word()) as usize;
        Place { start: slot.start, class: slot.class, bits: BitPlace::new(word, slot.bit() as usize) }
    }
}

#[inline(never)]
fn locate_large(unit: Unit, class: Class) -> Option<Slot> {
    if !class.is_large() {
        return None;
    }
    let head = if class.is_large_head() { unit } else { units::head_of_rest(unit).load(Ordering::Relaxed) };
    Some(Slot { start: cage::addr_of(head), unit: head, index: 0, class: Class::large(class.kind()) })
}

/// The object that a word points into, if it does.
#[inline(always)]
pub fn resolve(word: Ambiguous) -> Option<Slot> {
    locate(Addr::new(word.0)).filter(Slot::is_allocated)
}

/// Whether a word of a root keeps the object that ends there.
static DO_ENDS_KEEP: AtomicBool = AtomicBool::new(true);

/// From now on no word keeps the object that ends there: for a door whose programs do not count on it, or whose objects end
/// before their slots do. Before the first collection.
pub fn have_ends_keep_nothing() {
    // Relaxed: set before there is anything to keep.
    DO_ENDS_KEEP.store(false, Ordering::Relaxed);
}

/// The object that ends where the word points, if its kind lets objects fill their slots.
///
/// C and C++ programs keep addresses one past the end of an array. In a root such a word keeps the array, unless
/// [`have_ends_keep_nothing`].
pub fn resolve_end(word: Ambiguous) -> Option<Slot> {
    locate_end(word).filter(Slot::is_allocated)
}

/// The slot, in use or not, that [`resolve_end`] is about.
#[inline(never)]
fn locate_end(word: Ambiguous) -> Option<Slot> {
    if !DO_ENDS_KEEP.load(Ordering::Relaxed) || !word.0.is_multiple_of(GRANULE) {
        return None;
    }
    let slot = locate(Addr::new(word.0.wrapping_sub(1)))?;
    let ends_here = slot.start() + slot.bytes() == Addr::new(word.0);
    (ends_here && !slot.class().is_large() && slot.class().kind().traits().may_fill_slot()).then_some(slot)
}

/// The first byte of the slot that `locate_end` finds.
#[inline(always)]
pub fn start_of_end(word: Ambiguous) -> Option<Addr> {
    if !DO_ENDS_KEEP.load(Ordering::Relaxed) {
        return None;
    }
    match locate(Addr::new(word.0)) {
        Some(here) if here.start != Addr::new(word.0) => None,
        // Slots of a block lie side by side.
        Some(here) if here.index > 0 => here
            .class
            .kind()
            .traits()
            .may_fill_slot()
            .then(|| Addr::new(word.0 - here.class.shape().slot_bytes as usize)),
        _ => locate_end(word).map(|slot| slot.start),
    }
}

/// The slot in use that starts at `addr`.
#[unsafe(link_section = ".text.hot")]
pub fn object_at(addr: Addr) -> Option<Slot> {
    resolve(Ambiguous(addr.get())).filter(|slot| slot.start() == addr)
}
