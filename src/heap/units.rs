//! Side metadata: what the heap knows of each unit, in flat arrays beside the heap, never in its pages.
//!
//! ```text
//!   classes   2 B    kind and size class of the unit's slots, or what else it is; published last
//!   blocks    64 B   counters and state of the block that starts here
//!   bits      1,088 B   for each 64 slots a word `allocated` and a word `marked`, side by side
//!   heads     4 B    the first unit of the large object that the unit is a later part of
//!   flags     1 B    whether the marker has to come back; whether something is attached to an object that begins there;
//!                    what [`remains`](super::remains) knows of its slots
//! ```
//!
//! A header at the start of each page would put all headers into the same sets of the cache; a flat array does not, and
//! no overflow of a user's object reaches it. The stride of `bits` is not a power of two for the same reason.
//!
//! Holds: an array's entries are committed below the frontier of the cage. Entries of free units are zero, but `bits`
//! and `blocks` may hold what the last owner left: taking a unit sets them.

use super::{
    cage::{MAP, Unit},
    kind::Kind,
    size_class::{CLASSES, CLASSES_MAX, SHAPES, Shape, UNIT},
};
use crate::{
    base::{
        addr::{Addr, Range},
        sync::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
    os::mem,
};

/// Kind and size class of a unit: `kind << 6 | size class`. Zero: the unit is free.
///
/// Two values of the size class are not classes: the first unit of a large object, and its later ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct Class(u16);

/// How many values a class word can have.
pub const CLASS_WORDS: usize = 4096;

const LARGE: u16 = 62;
const LARGE_REST: u16 = 63;

impl Class {
    /// A unit that is nobody's.
    pub const FREE: Class = Class(0);

    /// Slots of size class `size_class` for objects of `kind`.
    #[inline(always)]
    pub const fn small(kind: Kind, size_class: usize) -> Class {
        Class((kind.number() as u16) << 6 | size_class as u16)
    }
    /// The first unit of a large object.
    pub const fn large(kind: Kind) -> Class {
        Class((kind.number() as u16) << 6 | LARGE)
    }
    /// A later unit of a large object.
    pub const fn large_rest(kind: Kind) -> Class {
        Class((kind.number() as u16) << 6 | LARGE_REST)
    }
    /// The class with this number below [`CLASS_WORDS`].
    pub const fn from_index(index: usize) -> Class {
        Class(index as u16)
    }
    /// The number, an index for arrays over classes.
    #[inline(always)]
    pub const fn index(self) -> usize {
        self.0 as usize % CLASS_WORDS
    }
    /// Whether the kind is `malloc`'s, whose number is zero: then the class is numbered as its size class.
    #[inline(always)]
    pub const fn is_of_malloc(self) -> bool {
        self.0 < CLASSES_MAX as u16
    }
    /// The kind.
    #[inline(always)]
    pub const fn kind(self) -> Kind {
        Kind::from_number((self.0 >> 6) as u8)
    }
    /// The size class.
    #[inline(always)]
    pub const fn size_class(self) -> usize {
        (self.0 & 63) as usize
    }
    /// Whether this is a class of slots.
    #[inline(always)]
    pub const fn is_small(self) -> bool {
        self.size_class().wrapping_sub(1) < CLASSES
    }
    /// Whether this is a unit of a large object.
    #[inline(always)]
    pub const fn is_large(self) -> bool {
        self.size_class() >= LARGE as usize
    }
    /// Whether this is the first unit of a large object.
    pub const fn is_large_head(self) -> bool {
        self.size_class() == LARGE as usize
    }
    /// How its blocks are divided; empty when it is no class of slots.
    #[inline(always)]
    pub fn shape(self) -> &'static Shape {
        &SHAPES[self.size_class()]
    }
}

/// Where a block is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum State {
    /// A thread refills its magazine from it.
    Claimed = 1,
    /// On its class's list of blocks with room.
    Listed = 2,
    /// On no list: it has little room, or none.
    Full = 3,
}

/// What the heap keeps for each block, at its first unit.
#[repr(C, align(64))]
pub struct Block {
    /// Slots whose allocated bit is zero, but for those that a thread has freed and not counted yet: it may lag behind
    /// the bits, and run below zero, while that thread is inside its gate.
    pub free: AtomicU32,
    state: AtomicU32,
    /// Neighbours on the class's list: unit + 1, or zero. Guarded by the class's centre.
    pub next: AtomicU32,
    /// See `next`.
    pub previous: AtomicU32,
    /// Words from this one on have never been handed out and their slots are zero. Only the claiming thread uses it.
    pub pristine_from: AtomicU32,
    /// What `free` was after the last sweep, and for how many sweeps it has not changed in between. The collector's.
    pub free_before: AtomicU32,
    /// See `free_before`.
    pub quiet: AtomicU32,
    /// A large object's units.
    pub units: AtomicU32,
    /// A large object's bytes as requested.
    pub requested: AtomicUsize,
}

impl Block {
    /// Where the block is in its life.
    ///
    /// The order with `free` matters between a thread that lists a block and one that frees into it: both write one
    /// and then read the other, so both are sequentially consistent.
    #[inline]
    pub fn state(&self) -> State {
        match self.state.load(Ordering::SeqCst) {
            1 => State::Claimed,
            2 => State::Listed,
            _ => State::Full,
        }
    }

    /// Sets where the block is in its life.
    #[inline]
    pub fn set_state(&self, state: State) {
        self.state.store(state as u32, Ordering::SeqCst);
    }
}

/// 64 slots: who is handed out, and whom the marker has reached.
#[repr(C)]
pub struct Word {
    /// Handed out to a thread: in use, or cached in a magazine.
    pub allocated: AtomicU64,
    /// Reached by the collection that runs now; zero outside one.
    pub marked: AtomicU64,
}

impl Word {
    /// Sets the mark of a slot that is handed out; `true` when it was not set. One marker runs.
    #[inline(always)]
    pub fn mark_allocated(&self, bit: u32) -> bool {
        // Relaxed: the world is stopped.
        let marked = self.marked.load(Ordering::Relaxed);
        let fresh = self.allocated.load(Ordering::Relaxed) & !marked & 1 << bit;
        self.marked.store(marked | fresh, Ordering::Relaxed);
        fresh != 0
    }

    /// Sets the marks of those of some slots that are handed out, while other markers run: whose was not set. Only one
    /// marker is told so of a slot.
    #[inline(always)]
    pub fn mark_allocated_together(&self, slots: u64) -> u64 {
        // Relaxed: a mark says no more than itself. What is found in the object was written before the world stopped.
        let new = self.allocated.load(Ordering::Relaxed) & !self.marked.load(Ordering::Relaxed) & slots;
        if new == 0 {
            return 0;
        }
        new & !self.marked.fetch_or(new, Ordering::Relaxed)
    }

    /// Whether the slot is handed out.
    #[inline(always)]
    pub fn is_allocated(&self, bit: u32) -> bool {
        // Relaxed: the caller holds the object, or the world is stopped.
        self.allocated.load(Ordering::Relaxed) >> bit & 1 == 1
    }

    /// Whether the marker has reached the slot.
    #[inline(always)]
    pub fn is_marked(&self, bit: u32) -> bool {
        self.marked.load(Ordering::Relaxed) >> bit & 1 == 1
    }
}

/// Bit words that a block may have.
pub const WORDS_PER_UNIT: usize = 64;
/// 64 words of 16 bytes and one cache line, so that equal words of neighbouring units fall into different sets.
/// Bytes from the bit words of a unit to those of the next.
pub const BITS_STRIDE: usize = WORDS_PER_UNIT * size_of::<Word>() + 64;

/// Bytes of all arrays for one unit.
pub const BYTES_PER_UNIT: usize = size_of::<u16>() + size_of::<Block>() + BITS_STRIDE + size_of::<Unit>() + 1;

/// Reserves the arrays for `units_max` units. `false` when the system refuses.
pub fn reserve(units_max: usize) -> bool {
    let bytes = |each: usize| (units_max * each).next_multiple_of(mem::PAGE);
    let total =
        bytes(size_of::<u16>()) + bytes(size_of::<Block>()) + bytes(BITS_STRIDE) + bytes(size_of::<Unit>()) + bytes(1);
    let Some(start) = mem::reserve(total, mem::PAGE) else { return false };
    let classes = start;
    let blocks = classes + bytes(size_of::<u16>());
    let bits = blocks + bytes(size_of::<Block>());
    let heads = bits + bytes(BITS_STRIDE);
    let flags = heads + bytes(size_of::<Unit>());
    MAP.heads.store(heads.get(), Ordering::Relaxed);
    MAP.classes.store(classes.get(), Ordering::Relaxed);
    MAP.blocks.store(blocks.get(), Ordering::Relaxed);
    MAP.bits.store(bits.get(), Ordering::Relaxed);
    MAP.flags.store(flags.get(), Ordering::Relaxed);
    true
}

/// The arrays, each with the bytes of an entry.
fn arrays() -> [(&'static AtomicUsize, usize); 5] {
    [
        (&MAP.classes, size_of::<u16>()),
        (&MAP.blocks, size_of::<Block>()),
        (&MAP.bits, BITS_STRIDE),
        (&MAP.heads, size_of::<Unit>()),
        (&MAP.flags, 1),
    ]
}

/// Gives the address space of the arrays back that was reserved for the units from `end` to `units_max`.
pub fn give_back_beyond(end: Unit, units_max: Unit) {
    for ((array, stride), committed) in arrays().into_iter().zip(&COMMITTED) {
        let bytes = |units: Unit| (units as usize * stride).next_multiple_of(mem::PAGE);
        let start = Addr::new(array.load(Ordering::Relaxed));
        let tail = Range::new(start + bytes(end), start + bytes(units_max));
        // What cannot be given back stays reserved and unused.
        if !tail.is_empty() && mem::release_part(tail) {
            committed.fetch_min(bytes(end), Ordering::Relaxed);
        }
    }
}

/// Bytes of each array that are committed, from its start. Written under the cage's lock.
static COMMITTED: [AtomicUsize; 5] = [const { AtomicUsize::new(0) }; 5];

/// Commits the entries of the units up to `end`. `false` when the system refuses; what it has granted stays.
#[unsafe(link_section = ".text.hot")]
pub fn commit(end: Unit) -> bool {
    arrays().iter().zip(&COMMITTED).all(|((array, stride), committed)| {
        let start = Addr::new(array.load(Ordering::Relaxed));
        let bytes = (end as usize * stride).next_multiple_of(mem::PAGE);
        let missing = Range::new(start + committed.load(Ordering::Relaxed), start + bytes);
        if missing.is_empty() {
            return true;
        }
        let granted = mem::commit(missing);
        if granted {
            committed.store(bytes, Ordering::Relaxed);
        }
        granted
    })
}

#[inline(always)]
fn entry<T>(array: &AtomicUsize, stride: usize, unit: Unit) -> &'static T {
    let address = array.load(Ordering::Relaxed) + unit as usize * stride;
    // SAFETY: units come from `cage::unit_of` or lie below the frontier, so the entry is committed; it consists of
    // atomics and is never released.
    unsafe { &*(address as *const T) }
}

#[inline(always)]
fn class_entry(unit: Unit) -> &'static AtomicU16 {
    entry(&MAP.classes, size_of::<u16>(), unit)
}

/// What a unit is.
#[inline(always)]
pub fn class_of(unit: Unit) -> Class {
    // Acquire: pairs with `publish`. Whoever sees a class sees the block's bits set up for it.
    Class(class_entry(unit).load(Ordering::Acquire))
}

/// Says what `count` units from `first` are, after everything else about them has been set.
pub fn publish(first: Unit, count: u32, class: Class) {
    for unit in first..first + count {
        class_entry(unit).store(class.0, Ordering::Release);
    }
}

/// The block that starts at this unit.
#[inline(always)]
pub fn block(unit: Unit) -> &'static Block {
    entry(&MAP.blocks, size_of::<Block>(), unit)
}

/// The bit words of the block that starts at this unit.
#[inline(always)]
pub fn words(unit: Unit) -> &'static [Word; WORDS_PER_UNIT] {
    entry(&MAP.bits, BITS_STRIDE, unit)
}

/// Where the class words and the bit words begin.
pub fn classes_and_bits() -> (*const u16, usize) {
    (MAP.classes.load(Ordering::Relaxed) as *const u16, MAP.bits.load(Ordering::Relaxed))
}

/// All bit words below the frontier.
pub fn bit_words() -> Range {
    Range::sized(Addr::new(MAP.bits.load(Ordering::Relaxed)), super::cage::frontier() as usize * BITS_STRIDE)
}

/// Gives the pages of the bit words back that belong to units of a free run alone.
pub fn forget_bits(first: Unit, count: u32) {
    let bits = Addr::new(MAP.bits.load(Ordering::Relaxed));
    let start = (bits + first as usize * BITS_STRIDE).align_up(mem::PAGE);
    let end = (bits + (first + count) as usize * BITS_STRIDE).align_down(mem::PAGE);
    if start < end {
        // If refused, they hold what the last owner left.
        mem::decommit(Range::new(start, end));
    }
}

/// The first unit of the large object that `unit` is a later part of.
#[inline]
pub fn head_of_rest(unit: Unit) -> &'static AtomicU32 {
    entry(&MAP.heads, size_of::<Unit>(), unit)
}

/// A unit's flags, a bit each.
#[inline(always)]
pub(super) fn flags(unit: Unit) -> &'static AtomicU8 {
    entry(&MAP.flags, 1, unit)
}

const UNSCANNED: u8 = 1;
const ATTACHED: u8 = 8;
/// See [`remains`](super::remains).
pub(super) const REMAINS: u8 = 2;
/// See `REMAINS`.
pub(super) const REMAINS_AHEAD: u8 = 4;

/// A marked object of the block has not been scanned, for the mark stack was full. Several markers may say so.
pub fn flag_unscanned(unit: Unit) {
    // Relaxed: read when the markers have met again.
    flags(unit).fetch_or(UNSCANNED, Ordering::Relaxed);
}

/// Whether the block was flagged, which it is not any more.
pub fn take_unscanned(unit: Unit) -> bool {
    // Relaxed: one marker runs.
    flags(unit).fetch_and(!UNSCANNED, Ordering::Relaxed) & UNSCANNED != 0
}

/// Something is going to be attached to an object that begins in the unit.
pub(super) fn note_attached(unit: Unit) {
    // Relaxed: see `fast::may_be_attached`.
    flags(unit).fetch_or(ATTACHED, Ordering::Relaxed);
}

/// Whether something may be attached to an object that begins in the unit.
#[inline(always)]
pub(super) fn may_be_attached(unit: Unit) -> bool {
    flags(unit).load(Ordering::Relaxed) & ATTACHED != 0
}

/// Nothing is attached to any object of the units below `end`. The world is stopped.
pub(super) fn forget_attached(end: Unit) {
    for flags in (0..end).map(flags) {
        let now = flags.load(Ordering::Relaxed);
        if now & ATTACHED != 0 {
            flags.store(now & !ATTACHED, Ordering::Relaxed);
        }
    }
}

/// The first unit of the block that `unit` is part of, for a class of slots.
#[inline(always)]
pub fn head_of_small(unit: Unit, shape: &Shape) -> Unit {
    unit & !((shape.block_mask as usize / UNIT) as Unit)
}
