//! Size classes: which slot a request gets, and how a block is divided.
//!
//! Multiples of 16 to 128 bytes, then four steps a doubling up to 256 KiB: at most a fifth of a slot is lost, about a
//! tenth on average. What is larger is a run of units of its own.
//!
//! A slot's index is found without a division: over granules of 16 bytes, `index = (granule * reciprocal) >> 32` with
//! `reciprocal = ceil(2^32 / granules a slot)` is exact, because both factors stay below 2^17; and a granule is the
//! first of its slot exactly when the low half of the product is below the reciprocal (Lemire, Kaser, Kurz: "Faster
//! remainder by direct computation", 2019). Where a block is one unit, the same over its bytes needs 32 bits. Tests prove
//! all of it for every class and offset.

/// Bytes in a unit, the smallest piece of the cage.
pub const UNIT: usize = 1 << UNIT_SHIFT;
/// log2 of [`UNIT`].
pub const UNIT_SHIFT: u32 = 16;
/// Bytes in a granule: every slot's size and alignment is a multiple.
pub const GRANULE: usize = 16;
/// The largest slot; larger objects have units of their own.
pub const SLOT_BYTES_MAX: usize = 256 << 10;
/// How many values a size class can have, used or not: a power of two.
pub const CLASSES_MAX: usize = 64;
/// The number of size classes; the first is number 1.
pub const CLASSES: usize = 8 + 11 * 4;
/// The most slots that a block can have.
pub const SLOTS_MAX: usize = UNIT / GRANULE;

/// How the blocks of a size class are divided.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Shape {
    /// ceil(2^32 / granules a slot).
    pub reciprocal: u64,
    /// Bytes a slot.
    pub slot_bytes: u32,
    /// Bytes a block less one: a power of two of units.
    pub block_mask: u32,
    /// Slots a block.
    pub slots: u32,
    /// Units a block.
    pub units: u32,
}

const NO_SHAPE: Shape = Shape { reciprocal: 0, slot_bytes: 0, block_mask: UNIT as u32 - 1, slots: 0, units: 0 };

/// The shapes by size class. Entry 0 and those past the last class are empty.
pub static SHAPES: [Shape; CLASSES_MAX] = shapes();

const fn shapes() -> [Shape; CLASSES_MAX] {
    let mut shapes = [NO_SHAPE; CLASSES_MAX];
    let mut class = 1;
    while class <= CLASSES {
        shapes[class] = shape(slot_bytes(class));
        class += 1;
    }
    shapes
}

/// What of a shape is needed to find a slot in a block of one unit: a quarter of a cache line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
pub struct UnitShape {
    /// As [`Shape::reciprocal`].
    pub reciprocal: u64,
    /// As [`Shape::slot_bytes`].
    pub slot_bytes: u32,
    /// As [`Shape::slots`]; none where blocks are larger.
    pub slots: u32,
}

/// The shapes by size class of blocks of one unit. The others are empty.
pub static UNIT_SHAPES: [UnitShape; CLASSES_MAX] = unit_shapes();

const fn unit_shapes() -> [UnitShape; CLASSES_MAX] {
    let mut shapes = [UnitShape { reciprocal: 0, slot_bytes: 0, slots: 0 }; CLASSES_MAX];
    let mut class = 1;
    while class <= CLASSES {
        let Shape { reciprocal, slot_bytes, slots, units, .. } = shape(slot_bytes(class));
        if units == 1 {
            shapes[class] = UnitShape { reciprocal, slot_bytes, slots };
        }
        class += 1;
    }
    shapes
}

/// Bytes a slot of class number `class`, from 1.
const fn slot_bytes(class: usize) -> usize {
    if class <= 8 {
        class * 16
    } else {
        let step = class - 9;
        let doubling = 128 << (step / 4);
        doubling + (step % 4 + 1) * (doubling / 4)
    }
}

/// Bytes a slot of a class, and none where the number is no class's.
pub const fn slot_bytes_of(class: usize) -> usize {
    if 1 <= class && class <= CLASSES { slot_bytes(class) } else { 0 }
}

/// The smallest block that loses at most an eighth of itself at its end.
const fn shape(slot_bytes: usize) -> Shape {
    let mut units = 1;
    while units * UNIT < slot_bytes || (units * UNIT % slot_bytes) * 8 > units * UNIT {
        units *= 2;
    }
    let granules = (slot_bytes / GRANULE) as u64;
    Shape {
        reciprocal: (1u64 << 32).div_ceil(granules),
        slot_bytes: slot_bytes as u32,
        block_mask: (units * UNIT - 1) as u32,
        slots: (units * UNIT / slot_bytes) as u32,
        units: units as u32,
    }
}

/// Requests up to this size find their class in a table.
pub const TABLE_BYTES_MAX: usize = 8 << 10;

static BY_GRANULES: [u8; TABLE_BYTES_MAX / GRANULE + 1] = by_granules();

const fn by_granules() -> [u8; TABLE_BYTES_MAX / GRANULE + 1] {
    let mut table = [0; TABLE_BYTES_MAX / GRANULE + 1];
    let mut class = 1;
    let mut granules = 0;
    while granules < table.len() {
        while slot_bytes(class) < granules * GRANULE {
            class += 1;
        }
        table[granules] = class as u8;
        granules += 1;
    }
    table
}

/// The class for a request of at most [`TABLE_BYTES_MAX`] bytes.
#[inline(always)]
pub fn of_small(bytes: usize) -> usize {
    debug_assert!(bytes <= TABLE_BYTES_MAX);
    BY_GRANULES[bytes.div_ceil(GRANULE)] as usize
}

/// The class for a request of less than [`TABLE_BYTES_MAX`] bytes and one more.
#[inline(always)]
pub fn of_small_and_one_more(bytes: usize) -> usize {
    debug_assert!(bytes < TABLE_BYTES_MAX);
    BY_GRANULES[bytes / GRANULE + 1] as usize
}

/// By size class: ceil(2^32 / bytes a slot) where a block is one unit, else zero.
static STARTS: [u32; CLASSES_MAX] = starts();

const fn starts() -> [u32; CLASSES_MAX] {
    let mut starts = [0; CLASSES_MAX];
    let mut class = 1;
    while class <= CLASSES {
        let shape = shape(slot_bytes(class));
        if shape.units == 1 {
            starts[class] = (1u64 << 32).div_ceil(shape.slot_bytes as u64) as u32;
        }
        class += 1;
    }
    starts
}

/// Whether `address` is the first byte of a slot of size class number `class`, whose blocks are one unit each. `false`
/// where they are larger, and where the number is no class of slots.
#[inline(always)]
pub fn is_start_in_unit(class: usize, address: usize) -> bool {
    let start = STARTS[class];
    u32::from(address as u16).wrapping_mul(start) < start
}

/// The class for a request of at most [`SLOT_BYTES_MAX`] bytes.
pub fn of(bytes: usize) -> usize {
    if bytes <= TABLE_BYTES_MAX {
        return of_small(bytes);
    }
    debug_assert!(bytes <= SLOT_BYTES_MAX);
    // The doubling that `bytes - 1` lies in, and the quarter of it.
    let doubling = (bytes - 1).ilog2() as usize;
    let quarter = ((bytes - 1) >> (doubling - 2)) & 3;
    9 + (doubling - 7) * 4 + quarter
}

/// The first class for `bytes` whose slots all start at a multiple of `align`, a power of two of at most a unit.
/// `None` when there is none: the object needs units of its own.
pub fn aligned(bytes: usize, align: usize) -> Option<usize> {
    if bytes > SLOT_BYTES_MAX || align > UNIT {
        return None;
    }
    (of(bytes)..=CLASSES).find(|&class| (SHAPES[class].slot_bytes as usize).is_multiple_of(align))
}

impl Shape {
    /// The index of the slot that byte `offset` of a block lies in. It may be past the last slot, in the block's rest.
    #[inline(always)]
    pub fn index_of(&self, offset: usize) -> usize {
        (((offset / GRANULE) as u64 * self.reciprocal) >> 32) as usize
    }

    /// Whether byte `offset` of a block, a multiple of 16, is the first of a slot.
    #[inline(always)]
    pub fn is_slot_start(&self, offset: usize) -> bool {
        let product = (offset / GRANULE) as u64 * self.reciprocal;
        product & 0xffff_ffff < self.reciprocal
    }

    /// Words of 64 bits that the slots of a block take in a bitmap.
    #[inline(always)]
    pub fn words(&self) -> usize {
        (self.slots as usize).div_ceil(64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_and_starts_are_exact_for_every_class_and_offset() {
        for (class, shape) in SHAPES.iter().enumerate().take(CLASSES + 1).skip(1) {
            let slot_bytes = shape.slot_bytes as usize;
            for offset in (0..shape.units as usize * UNIT).step_by(GRANULE) {
                assert_eq!(shape.index_of(offset), offset / slot_bytes, "class {class} offset {offset}");
                assert_eq!(shape.index_of(offset + 15), offset / slot_bytes, "class {class} offset {offset} + 15");
                assert_eq!(shape.is_slot_start(offset), offset % slot_bytes == 0, "class {class} offset {offset}");
            }
        }
    }

    #[test]
    fn the_shapes_of_blocks_of_one_unit_are_those_of_all() {
        for (shape, small) in SHAPES.iter().zip(&UNIT_SHAPES) {
            let slots = if shape.units == 1 { shape.slots } else { 0 };
            assert_eq!(small.slots, slots, "{shape:?}");
            assert!(
                slots == 0 || (small.reciprocal, small.slot_bytes) == (shape.reciprocal, shape.slot_bytes),
                "{shape:?}"
            );
        }
    }

    #[test]
    fn starts_in_a_unit_are_exact_for_every_number_and_address() {
        for (class, shape) in SHAPES.iter().enumerate() {
            for address in 0..UNIT {
                let is_start = shape.units == 1 && address % shape.slot_bytes as usize == 0;
                assert_eq!(is_start_in_unit(class, 5 * UNIT + address), is_start, "class {class} address {address}");
            }
        }
    }

    #[test]
    fn every_request_gets_the_smallest_slot_that_holds_it() {
        let mut class = 1;
        for bytes in 0..=SLOT_BYTES_MAX {
            while (SHAPES[class].slot_bytes as usize) < bytes {
                class += 1;
            }
            assert_eq!(of(bytes), class, "{bytes} bytes");
            if (1..=TABLE_BYTES_MAX).contains(&bytes) {
                assert_eq!(of_small_and_one_more(bytes - 1), class, "{bytes} bytes");
            }
        }
        assert_eq!(SHAPES[CLASSES].slot_bytes as usize, SLOT_BYTES_MAX);
    }

    #[test]
    fn blocks_are_small_and_lose_little() {
        for shape in &SHAPES[1..=CLASSES] {
            assert!(shape.units <= 16 && shape.units.is_power_of_two(), "{shape:?}");
            assert!(shape.slots as usize <= SLOTS_MAX);
            assert!(shape.slot_bytes > 8 << 10 || shape.units == 1, "{shape:?}");
            let used = shape.slots as usize * shape.slot_bytes as usize;
            assert!((shape.units as usize * UNIT - used) * 8 <= shape.units as usize * UNIT, "{shape:?}");
        }
    }

    #[test]
    fn aligned_classes_start_every_slot_at_a_multiple() {
        for shift in 4..=UNIT_SHIFT {
            for bytes in [0, 1, 100, 4096, 5000, 70_000] {
                let align = 1 << shift;
                if let Some(class) = aligned(bytes, align) {
                    let slot_bytes = SHAPES[class].slot_bytes as usize;
                    assert!(slot_bytes >= bytes && slot_bytes.is_multiple_of(align));
                }
            }
        }
        assert_eq!(aligned(100, 2 * UNIT), None);
        assert_eq!(SHAPES[aligned(1, 4096).unwrap()].slot_bytes, 4096);
    }
}
