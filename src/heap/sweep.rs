//! Sweeping: a block's unmarked slots become free again.
//!
//! No object is touched, unless what becomes free is to be poisoned: 64 slots are swept by one `and` of two words, so the cost follows the heap's size in bits, not
//! in dead objects.
//!
//! ```text
//!   allocated   1 1 1 1 0 1
//!   marked      1 0 1 1 0 0     ->  allocated   1 0 1 1 0 0     (the 2nd and the 6th are free)
//! ```
//!
//! A block without any mark is given up whole. Marks are zero again afterwards, and each class's list
//! has its blocks lowest address first.
//!
//! Holds:   a block's `free` equals the zero bits of `allocated`. Checked by `verify`.
//! Threads: the world is stopped.

use super::{
    announce,
    cage::{self, Unit},
    centre, large,
    quiet::Quiet,
    refill, remains,
    size_class::UNIT,
    units::{self, Class, State},
    zeal,
};
use crate::{
    base::{bits, sync::Ordering},
    os::memcheck,
};

/// What a sweep found.
#[derive(Clone, Copy, Default, Debug)]
pub struct Swept {
    /// Objects taken back, and the bytes of their slots.
    pub reclaimed_objects: u64,
    /// See `reclaimed_objects`.
    pub reclaimed_bytes: u64,
    /// Slots still handed out, cached ones included, and their bytes.
    pub live_objects: u64,
    /// See `live_objects`.
    pub live_bytes: u64,
    /// The part of `live_bytes` that holds no pointers.
    pub live_pointer_free_bytes: u64,
}

/// Whether a sweep takes the unmarked slots back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// It does.
    Reclaim,
    /// It counts them and leaves them as they are.
    Count,
}

/// Sweeps the whole heap.
pub fn sweep(mode: Mode) -> Swept {
    match mode {
        Mode::Reclaim => reclaim(),
        Mode::Count => count(),
    }
}

fn count() -> Swept {
    let mut swept = Swept::default();
    for_each_allocated_word(
        |_| true,
        |class, unit, index, allocated| {
            let word = &units::words(unit)[index];
            let kept = match class.kind().traits().is_uncollectable() {
                true => allocated,
                false => allocated & word.marked.load(Ordering::Relaxed),
            };
            word.marked.store(0, Ordering::Relaxed);
            let slot_bytes = match class.is_small() {
                true => class.shape().slot_bytes as usize,
                false => units::block(unit).units.load(Ordering::Relaxed) as usize * UNIT,
            };
            swept.count(class, allocated.count_ones(), kept.count_ones(), slot_bytes);
        },
    );
    swept
}

fn reclaim() -> Swept {
    let (mut swept, mut quiet) = (Swept::default(), Quiet::begin());
    centre::forget_all();
    refill::renew_claims();
    if memcheck::is_running() {
        announce::note_sweep_begins();
    }
    // From the top down: each block put on its list comes before those of higher addresses.
    let mut unit = cage::frontier();
    while unit > 0 {
        unit -= 1;
        let class = units::class_of(unit);
        if class.is_small() {
            unit = units::head_of_small(unit, class.shape());
            sweep_block(class, unit, &mut swept, &mut quiet);
        } else if class.is_large() {
            if !class.is_large_head() {
                unit = units::head_of_rest(unit).load(Ordering::Relaxed);
            }
            sweep_large(Class::large(class.kind()), unit, &mut swept);
        }
    }
    swept
}

fn sweep_block(class: Class, unit: Unit, swept: &mut Swept, quiet: &mut Quiet) {
    let (block, shape) = (units::block(unit), class.shape());
    let in_use_before = shape.slots - block.free.load(Ordering::Relaxed);
    if memcheck::is_running() && !class.kind().traits().is_uncollectable() {
        announce::note_sweep(class, unit);
    }
    let in_use = if class.kind().traits().is_uncollectable() {
        clear_marks(unit, shape.words());
        in_use_before
    } else {
        if zeal::is_poisoning() {
            poison(class, unit);
        }
        keep_marked(unit, shape.words())
    };
    if in_use < in_use_before && !zeal::is_poisoning() {
        remains::note_swept(unit);
    }
    quiet.note(unit, shape, in_use);
    block.free.store(shape.slots - in_use, Ordering::Relaxed);
    swept.count(class, in_use_before, in_use, shape.slot_bytes as usize);
    if block.state() != State::Claimed {
        centre::place(class, unit);
    }
}

/// `allocated &= marked` and `marked = 0` for each word: how many slots stay in use.
fn keep_marked(unit: Unit, words: usize) -> u32 {
    units::words(unit)[..words]
        .iter()
        .map(|word| {
            let kept = word.allocated.load(Ordering::Relaxed) & word.marked.load(Ordering::Relaxed);
            word.allocated.store(kept, Ordering::Relaxed);
            word.marked.store(0, Ordering::Relaxed);
            kept.count_ones()
        })
        .sum()
}

/// Fills the slots that are about to become free. What has to be zero is cleared when it is handed out.
fn poison(class: Class, unit: Unit) {
    let slot_bytes = class.shape().slot_bytes as usize;
    for (index, word) in units::words(unit)[..class.shape().words()].iter().enumerate() {
        let dead = word.allocated.load(Ordering::Relaxed) & !word.marked.load(Ordering::Relaxed);
        for_each_slot(class, unit, index, dead, |start| {
            // SAFETY: the slot is in use by nobody: no mark was found for its object.
            unsafe { core::ptr::write_bytes(start.as_ptr::<u8>(), zeal::POISON_BYTE, slot_bytes) };
        });
    }
}

fn clear_marks(unit: Unit, words: usize) {
    units::words(unit)[..words].iter().for_each(|word| word.marked.store(0, Ordering::Relaxed));
}

fn sweep_large(class: Class, unit: Unit, swept: &mut Swept) {
    let word = &units::words(unit)[0];
    if memcheck::is_running() && !class.kind().traits().is_uncollectable() {
        announce::note_sweep(class, unit);
    }
    let is_marked = word.marked.swap(0, Ordering::Relaxed) & 1 != 0;
    let bytes = units::block(unit).units.load(Ordering::Relaxed) as usize * UNIT;
    let stays = is_marked || class.kind().traits().is_uncollectable();
    swept.count(class, 1, u32::from(stays), bytes);
    if !stays {
        word.allocated.store(0, Ordering::Relaxed);
        remains::note_swept(unit);
        large::give_up(unit);
    }
}

impl Swept {
    fn count(&mut self, class: Class, before: u32, after: u32, slot_bytes: usize) {
        self.reclaimed_objects += u64::from(before - after);
        self.reclaimed_bytes += u64::from(before - after) * slot_bytes as u64;
        self.live_objects += u64::from(after);
        let live_bytes = u64::from(after) * slot_bytes as u64;
        self.live_bytes += live_bytes;
        if !class.kind().traits().may_hold_pointers() {
            self.live_pointer_free_bytes += live_bytes;
        }
    }
}

/// Visits the allocated slots of all blocks and large objects that a filter on their class accepts, as
/// `(class, first unit, word index, bits)`. The world is stopped.
pub fn for_each_allocated_word(mut accepts: impl FnMut(Class) -> bool, mut visit: impl FnMut(Class, Unit, usize, u64)) {
    let mut unit = 0;
    while unit < cage::frontier() {
        let class = units::class_of(unit);
        let count = if class.is_small() {
            class.shape().units
        } else if class.is_large_head() {
            units::block(unit).units.load(Ordering::Relaxed)
        } else {
            1
        };
        if (class.is_small() || class.is_large_head()) && accepts(class) {
            let words = if class.is_small() { class.shape().words() } else { 1 };
            for (index, word) in units::words(unit)[..words].iter().enumerate() {
                let allocated = word.allocated.load(Ordering::Relaxed);
                if allocated != 0 {
                    visit(class, unit, index, allocated);
                }
            }
        }
        unit += count;
    }
}

/// The addresses of the slots that the set bits of word `index` of a block stand for.
pub fn for_each_slot(
    class: Class,
    unit: Unit,
    index: usize,
    word: u64,
    mut visit: impl FnMut(crate::base::addr::Addr),
) {
    let start = cage::addr_of(unit);
    if class.is_small() {
        let slot_bytes = class.shape().slot_bytes as usize;
        bits::for_each_bit(word, |bit| visit(start + (index * 64 + bit) * slot_bytes));
    } else if word != 0 {
        visit(start);
    }
}
