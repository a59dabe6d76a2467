//! Refill and room: how slots move between magazines and bitmaps, many at a time.
//!
//! A refill takes bits of one word of the claimed block with one atomic OR: only the claiming thread sets bits there.
//! A flush gives bits back with one atomic AND a word ([`flush`](super::flush)); anybody frees into any block. So the
//! hot data has no lock.
//!
//! A thread that has just begun with a class may never need more of it, as most of a thousand sleeping threads. So its
//! array is small at first, and it gives its claim up after each of its first refills: such threads share a block. There
//! each takes slots by the four that make up whole cache lines, for two threads that write to one line slow each other
//! down. For the same reason the first slots that a thread frees before it has allocated any of their class go to the
//! bitmaps: their neighbours in the line are likely to be with the thread that allocated them.
//!
//! Where there are more than twice as many threads as processors, blocks are *much shared*: each collection ends all
//! claims, and after it the first refills of each class, of any size, are from shared blocks again. Most threads use most
//! classes little between two collections, and with a claim for each what is in use would lie in many blocks that are
//! nearly empty. Threads that have a processor each are fewer, and would pay for it: the lines of a shared block go from
//! one processor to the other at each refill.
//!
//! Kinds that promise zero, and [`remains`] that are not to be handed out, are zeroed here, in runs, just before they are
//! used; slots of fresh pages are known to be zero. At most 16 KiB a refill, so that what was cleared is still in the first cache
//! when it is handed out.

use super::{
    ages, announce,
    cage::{self, Unit},
    centre,
    flush::give_slots,
    gate::Inside,
    late,
    magazine::{Contents, Magazine},
    mutator::{self, Mutator},
    pressure, remains,
    resolve::Slot,
    size_class::{GRANULE, Shape},
    surplus,
    units::{self, Class},
    zeal,
};
use crate::base::{
    addr::{Addr, Range},
    bits,
    sync::{AtomicBool, Ordering},
};

/// See the module's documentation.
static IS_MUCH_SHARED: AtomicBool = AtomicBool::new(false);

const MAGAZINE_BYTES_MAX: usize = 64 << 10;
const MAGAZINE_SLOTS_MIN: usize = 4;
const MAGAZINE_SLOTS_MAX: usize = 1024;
/// A first refill takes so much, and of the smallest classes sixteen slots.
const MAGAZINE_BYTES_FIRST: usize = 1 << 10;
/// What the magazines of a thread may hold together. Half of it is kept for those that would hold little, or the classes
/// that a program uses first would leave the others a few slots, and a slow path for every few operations.
const THREAD_BYTES_MAX: usize = 1 << 20;
const LITTLE_BYTES: usize = 16 << 10;
const REFILL_BYTES_MAX: usize = 16 << 10;
/// A record's arrays are cut from pieces of this size: the first has room for a dozen classes that are hardly used.
const ARRAYS_BYTES_FIRST: usize = 2 << 10;
const ARRAYS_BYTES: usize = 16 << 10;
/// How much larger an array is than the one before it: what those before leave behind is a third of it.
const ARRAY_GROWTH: usize = 4;
/// A thread's first refills come from blocks that are shared, for slots that are smaller than pages.
const FIRST_REFILLS: u8 = 2;
/// Where blocks are much shared: the first refills after each collection, of so many bytes at most.
const SHARED_REFILLS: u8 = 4;
const SHARED_BYTES_MAX: usize = 8 << 10;
/// So many slots of a class never allocated go to the bitmaps.
const FOREIGN_FREES: u8 = 4;
/// Slots that fill whole cache lines, whatever their size: four granules are a line.
const LINE_SLOTS: usize = 4;

/// What a free that reached the bitmaps met there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FreedTwice(pub Addr);

fn capacity_of(shape: &Shape) -> usize {
    (MAGAZINE_BYTES_MAX / shape.slot_bytes as usize).clamp(MAGAZINE_SLOTS_MIN, MAGAZINE_SLOTS_MAX)
}

/// Fills the thread's magazine for `class`, if it is empty. `false`: the heap has no room.
#[unsafe(link_section = ".text.hot")]
pub fn refill(inside: &Inside<'_>, class: Class) -> bool {
    let mutator = inside.mutator();
    let magazine = mutator.magazine(class);
    // SAFETY: the owner, in its gate; opened again below.
    let mut contents = unsafe { magazine.close() };
    if contents.array.is_null() && !equip(mutator, magazine, class, &mut contents) {
        return false;
    }
    if contents.count == 0 {
        let shape = class.shape();
        grow_limit(mutator, magazine, shape, &mut contents);
        let wanted = |bytes_max| (contents.limit / 2).min(bytes_max / shape.slot_bytes as usize).max(1);
        // SAFETY: the owner, in its gate.
        let refills = unsafe { &mut *magazine.visits.get() };
        if is_refill_shared(*refills, shape) {
            *refills += 1;
            take_shared(magazine, class, wanted(SHARED_BYTES_MAX), &mut contents);
        } else {
            take_wanted(magazine, class, wanted(REFILL_BYTES_MAX), &mut contents);
        }
        // The lowest address is handed out first.
        contents.slots().reverse();
        pressure::note_allocated(mutator, contents.count * shape.slot_bytes as usize);
    }
    let has_slots = contents.count != 0;
    // SAFETY: ends the `close` above.
    unsafe { magazine.open(contents) };
    surplus::look_and_watch(inside);
    has_slots
}

/// Whether the next refill, before which there have been `refills`, comes from a shared block.
fn is_refill_shared(refills: u8, shape: &Shape) -> bool {
    // Relaxed: changed with the world stopped.
    match IS_MUCH_SHARED.load(Ordering::Relaxed) {
        true => refills < SHARED_REFILLS,
        false => refills < FIRST_REFILLS && shape.slot_bytes as usize <= MAGAZINE_BYTES_FIRST,
    }
}

/// Takes one slot past the magazine, which stays empty and without room: for zeal.
pub fn take_one(inside: &Inside<'_>, class: Class) -> Option<Addr> {
    let mutator = inside.mutator();
    let magazine = mutator.magazine(class);
    // SAFETY: the owner, in its gate; opened again below.
    let mut contents = unsafe { magazine.close() };
    if contents.array.is_null() && !equip(mutator, magazine, class, &mut contents) {
        return None;
    }
    take_wanted(magazine, class, 1, &mut contents);
    let slot = contents.slots().first().map(|&slot| Addr::new(slot));
    contents.count = 0;
    // SAFETY: ends the `close` above.
    unsafe { magazine.open(contents) };
    if slot.is_some() {
        pressure::note_allocated(mutator, class.shape().slot_bytes as usize);
    }
    slot
}

fn take_wanted(magazine: &Magazine, class: Class, wanted: usize, contents: &mut Contents) {
    while contents.count < wanted {
        match claimed_block(magazine, class) {
            Some(unit) => take_slots(magazine, class, unit, wanted, contents, Take::Any),
            None => return,
        }
    }
}

/// Takes slots of whole cache lines from one block if it has any, else what there is, and ends the claim.
fn take_shared(magazine: &Magazine, class: Class, wanted: usize, contents: &mut Contents) {
    let Some(unit) = claimed_block(magazine, class) else { return };
    let is_whole_lines = class.shape().slot_bytes.is_multiple_of((LINE_SLOTS * GRANULE) as u32);
    let take = if is_whole_lines { Take::Any } else { Take::WholeLines };
    take_slots(magazine, class, unit, wanted, contents, take);
    if contents.count == 0 {
        // SAFETY: the owner, in its gate.
        unsafe { *magazine.cursor.get() = 0 };
        return take_wanted(magazine, class, wanted, contents);
    }
    // SAFETY: the owner, in its gate.
    let is_used_up = unsafe {
        *magazine.claimed.get() = 0;
        take == Take::Any && *magazine.cursor.get() as usize >= class.shape().words()
    };
    centre::give_back(class, unit, is_used_up);
}

/// Gives a magazine its array.
fn equip(mutator: &Mutator, magazine: &Magazine, class: Class, contents: &mut Contents) -> bool {
    let limit = MAGAZINE_BYTES_FIRST / class.shape().slot_bytes as usize / LINE_SLOTS * LINE_SLOTS;
    let limit = limit.clamp(MAGAZINE_SLOTS_MIN, INTERLEAVED);
    // The limit is doubled before it is first used.
    if !enlarge(mutator, magazine, contents, 2 * limit) {
        return false;
    }
    mutator.note_used(class);
    // SAFETY: the owner, in its gate.
    unsafe { *magazine.visits.get() = 0 };
    contents.limit = if zeal::is_slow_path_only() { 0 } else { limit };
    // SAFETY: the owner, in its gate.
    unsafe { *mutator.cached_limit_bytes.get() += contents.limit * class.shape().slot_bytes as usize };
    true
}

/// Gives a closed magazine an array for `capacity` slots. The old one is left behind. `false`: no memory.
#[unsafe(link_section = ".text.hot")]
fn enlarge(mutator: &Mutator, magazine: &Magazine, contents: &mut Contents, capacity: usize) -> bool {
    // The word below the first slot stays zero.
    let Some(array) = cut_array(mutator, capacity + 1) else { return false };
    let array = (array + size_of::<usize>()).as_ptr::<usize>();
    for (index, &slot) in contents.slots().iter().enumerate() {
        // SAFETY: the new array has room for more than the old one.
        unsafe { array.add(index).write(slot) };
    }
    contents.array = array;
    // SAFETY: the owner, in its gate.
    unsafe { *magazine.capacity.get() = capacity as u16 };
    true
}

/// Cuts `words` zero words from the record's array memory.
fn cut_array(mutator: &Mutator, words: usize) -> Option<Addr> {
    let bytes = words * size_of::<usize>();
    // SAFETY: the owner, in its gate.
    let arrays = unsafe { &mut *mutator.arrays.get() };
    if arrays.bytes() < bytes {
        let piece = if arrays.start.is_null() { ARRAYS_BYTES_FIRST } else { ARRAYS_BYTES };
        *arrays = mutator::cut_for_arrays(piece.max(bytes))?;
    }
    let start = arrays.start;
    arrays.start = start + bytes;
    Some(start)
}

/// Doubles a magazine's limit, within what the class and the thread may cache; the array grows with it.
#[unsafe(link_section = ".text.hot")]
fn grow_limit(mutator: &Mutator, magazine: &Magazine, shape: &Shape, contents: &mut Contents) {
    // SAFETY: the owner, in its gate.
    let (capacity, total) = unsafe { (*magazine.capacity.get() as usize, &mut *mutator.cached_limit_bytes.get()) };
    let limit = (contents.limit * 2).clamp(1, capacity_of(shape));
    let more = limit.saturating_sub(contents.limit) * shape.slot_bytes as usize;
    let has_room = |limit: usize, contents: &mut Contents| {
        limit <= capacity
            || enlarge(mutator, magazine, contents, (capacity * ARRAY_GROWTH).clamp(limit, capacity_of(shape)))
    };
    let is_little = limit * shape.slot_bytes as usize <= LITTLE_BYTES;
    let total_max = if is_little { THREAD_BYTES_MAX } else { THREAD_BYTES_MAX / 2 };
    if *total + more <= total_max && has_room(limit, contents) {
        *total += more;
        contents.limit = limit;
    }
}

/// The block to take from: the claimed one, or another when that is used up.
#[unsafe(link_section = ".text.hot")]
fn claimed_block(magazine: &Magazine, class: Class) -> Option<Unit> {
    // SAFETY: the owner, in its gate.
    let (claimed, cursor) = unsafe { (&mut *magazine.claimed.get(), &mut *magazine.cursor.get()) };
    if *claimed != 0 {
        if (*cursor as usize) < class.shape().words() {
            return Some(*claimed - 1);
        }
        // Not ours any more before it is given back.
        centre::give_back(class, core::mem::take(claimed) - 1, true);
    }
    let unit = centre::claim(class)?;
    *claimed = unit + 1;
    *cursor = 0;
    Some(unit)
}

/// Has each thread that was refused units for a block claim one. The world is stopped, and they wait for a collection, or
/// for the one that this is: where threads wait for processors, the others would have taken all that there is by the time
/// that they are back.
pub fn serve_refused() {
    mutator::all().filter(|record| record.is_alive()).for_each(serve);
}

/// As [`serve_refused`], one thread.
fn serve(record: &Mutator) {
    let class = Class::from_index(record.refused_class.swap(0, Ordering::Relaxed) as usize);
    if class.is_small() {
        // Its owner is stopped outside its gate, and nobody else looks at its claims.
        claimed_block(record.magazine(class), class);
    }
}

/// Whether threads share blocks much from now on. The world is stopped.
pub fn set_much_shared(is_much_shared: bool) {
    IS_MUCH_SHARED.store(is_much_shared, Ordering::Relaxed);
}

/// A sweep is about to take slots back, and to put each block that nobody claims where it belongs. Where blocks are much
/// shared, every claim ends, and else it goes on from its block's first slot. The world is stopped.
pub(super) fn renew_claims() {
    let is_much_shared = IS_MUCH_SHARED.load(Ordering::Relaxed);
    for record in mutator::all() {
        // SAFETY: every owner is stopped outside its gate, or gone, and nobody else looks at its claims.
        unsafe {
            match is_much_shared {
                true => end_claims_of(record, centre::end_claim),
                false => record.for_each_class_used(|class| *record.magazine(class).cursor.get() = 0),
            }
        }
    }
}

/// Has a record claim nothing any more, and `end` what it has claimed.
///
/// # Safety
/// The caller stands in for the owner.
unsafe fn end_claims_of(record: &Mutator, mut end: impl FnMut(Unit)) {
    record.for_each_class_used(|class| {
        let magazine = record.magazine(class);
        // SAFETY: by the caller's promise.
        let claimed = unsafe {
            *magazine.visits.get() = 0;
            core::mem::take(&mut *magazine.claimed.get())
        };
        if claimed != 0 {
            end(claimed - 1);
        }
    });
}

/// Which free slots may be taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Take {
    Any,
    /// Those whose neighbours in their cache lines are free, too.
    WholeLines,
}

impl Take {
    fn of(self, free: u64) -> u64 {
        const FIRST_OF_LINE: u64 = 0x1111_1111_1111_1111;
        match self {
            Take::Any => free,
            Take::WholeLines => (free & free >> 1 & free >> 2 & free >> 3 & FIRST_OF_LINE) * 0xf,
        }
    }
}

/// Takes free slots of the claimed block, from its cursor on, until there are `wanted` or the block has no more.
#[unsafe(link_section = ".text.hot")]
fn take_slots(magazine: &Magazine, class: Class, unit: Unit, wanted: usize, contents: &mut Contents, take: Take) {
    let shape = class.shape();
    let (block, words) = (units::block(unit), units::words(unit));
    // SAFETY: the owner, in its gate.
    let cursor = unsafe { &mut *magazine.cursor.get() };
    let start = cage::addr_of(unit);
    let traits = class.kind().traits();
    let is_cleared = traits.is_zeroed() || class.kind().is_cleared_of_remains() && remains::lie_in(unit);
    let mut taken_slots = 0;
    while (*cursor as usize) < shape.words() && contents.count < wanted {
        let first_slot = *cursor as usize * 64;
        let all = bits::low_mask(shape.slots as usize - first_slot);
        let allocated = &words[*cursor as usize].allocated;
        let free = take.of(!allocated.load(Ordering::Relaxed) & all);
        let taken = lowest_bits(free, wanted - contents.count);
        if taken == free {
            *cursor += 1;
        }
        if taken == 0 {
            continue;
        }
        // Acquire: pairs with the Release of the flush that freed a slot, so its last owner's accesses are over.
        let old = allocated.fetch_or(taken, Ordering::Acquire);
        debug_assert_eq!(old & taken, 0, "a slot was handed out twice");
        if ages::are_kept() {
            ages::make_young(unit, first_slot / 64, taken);
        }
        if is_cleared {
            zero(start, shape, block.pristine_from.load(Ordering::Relaxed) as usize, first_slot, taken);
        }
        let last = first_slot + 63 - taken.leading_zeros() as usize;
        let pristine_from = block.pristine_from.load(Ordering::Relaxed);
        block.pristine_from.store(pristine_from.max(last as u32 + 1), Ordering::Relaxed);
        for_each_in_order(class, taken, |bit, step, length| {
            let first = start + (first_slot + bit) * shape.slot_bytes as usize;
            // SAFETY: `wanted` is within the array, and at most `wanted - count` bits were taken.
            unsafe { contents.add_run(first, step * shape.slot_bytes as usize, length) };
        });
        taken_slots += taken.count_ones();
    }
    // Relaxed: who acts on the counter looks at it again under the centre's lock, which ends our claim.
    block.free.fetch_sub(taken_slots, Ordering::Relaxed);
}

/// Visits taken slots in the order in which they are handed out, as runs: the first, how many slots there are from one to the
/// next, and how many they are.
///
/// Where a root that holds an object keeps the one that ends there too, neighbours in time are no neighbours in memory:
/// a program that drops a tree and makes another would keep the first by the second. So of each sixteen slots the even
/// ones come first.
#[inline(always)]
fn for_each_in_order(class: Class, taken: u64, mut visit: impl FnMut(usize, usize, usize)) {
    if class.kind().traits().ends_early() {
        return bits::for_each_run(taken, |first, length| visit(first, 1, length));
    }
    for first in (0..64).step_by(INTERLEAVED) {
        if taken >> first & ALL == ALL {
            // Most are like this where most is garbage.
            visit(first, 2, INTERLEAVED / 2);
            visit(first + 1, 2, INTERLEAVED / 2);
        } else {
            bits::for_each_bit(taken & EVEN << first, |bit| visit(bit, 1, 1));
            bits::for_each_bit(taken & EVEN << (first + 1), |bit| visit(bit, 1, 1));
        }
    }
}

const INTERLEAVED: usize = 16;
const EVEN: u64 = 0x5555;
const ALL: u64 = 0xffff;

/// The lowest `count` set bits of `word`.
fn lowest_bits(word: u64, count: usize) -> u64 {
    if word.count_ones() as usize <= count {
        return word;
    }
    let mut rest = word;
    for _ in 0..count {
        rest &= rest - 1;
    }
    word & !rest
}

/// Zeroes the slots `taken` of a word, but not those from `pristine_from` on.
fn zero(start: Addr, shape: &Shape, pristine_from: usize, first_slot: usize, taken: u64) {
    let dirty = taken & bits::low_mask(pristine_from.saturating_sub(first_slot));
    let slot_bytes = shape.slot_bytes as usize;
    bits::for_each_run(dirty, |first, length| {
        let run = Range::sized(start + (first_slot + first) * slot_bytes, length * slot_bytes);
        announce::note_taken(run);
        // SAFETY: the slots were taken just now and nobody else knows them.
        unsafe { core::ptr::write_bytes(run.start.as_ptr::<u8>(), 0, run.bytes()) };
    });
}

/// Makes room in the thread's full magazine for `class`: a higher limit, or half of its slots flushed.
pub fn make_room(inside: &Inside<'_>, class: Class) -> Result<(), FreedTwice> {
    let mutator = inside.mutator();
    let magazine = mutator.magazine(class);
    // SAFETY: the owner, in its gate; opened again below.
    let mut contents = unsafe { magazine.close() };
    let mut result = Ok(());
    let may_keep = !contents.array.is_null() || !is_foreign(magazine) && equip(mutator, magazine, class, &mut contents);
    if may_keep {
        grow_limit(mutator, magazine, class.shape(), &mut contents);
        if contents.count >= contents.limit && contents.count > 0 {
            let flushed = contents.count.div_ceil(2);
            let slots = contents.slots();
            result = give_slots(class, &slots[..flushed]);
            slots.copy_within(flushed.., 0);
            contents.count -= flushed;
            pressure::note_freed(mutator, flushed * class.shape().slot_bytes as usize);
        }
        // SAFETY: ends the `close` above.
        unsafe { magazine.open(contents) };
        if surplus::look_after_flush(inside) {
            result = result.and(empty_all(inside));
        }
    }
    result
}

/// Gives the slots of all the thread's magazines back to their bitmaps. Where magazines are to hold nothing, they take
/// nothing from then on, either.
pub fn empty_all(inside: &Inside<'_>) -> Result<(), FreedTwice> {
    let mutator = inside.mutator();
    let mut result = Ok(());
    mutator.for_each_class_used(|class| {
        let magazine = mutator.magazine(class);
        if magazine.is_empty() && !zeal::is_slow_path_only() {
            return;
        }
        // SAFETY: the owner, in its gate; opened again below.
        let mut contents = unsafe { magazine.close() };
        if zeal::is_slow_path_only() {
            contents.limit = 0;
        }
        result = result.and(give_slots(class, contents.slots()));
        pressure::note_freed(mutator, contents.count * class.shape().slot_bytes as usize);
        contents.count = 0;
        // SAFETY: ends the `close` above.
        unsafe { magazine.open(contents) };
    });
    result
}

/// Whether a slot freed to a magazine without an array is taken for another thread's. Not for ever: a thread that frees
/// what others allocate needs a magazine, too.
fn is_foreign(magazine: &Magazine) -> bool {
    // SAFETY: the owner, in its gate. While there is no array, there are no refills to count.
    let frees = unsafe { &mut *magazine.visits.get() };
    *frees = frees.saturating_add(1);
    *frees <= FOREIGN_FREES
}

/// Gives one slot straight back to its bitmap.
pub fn give_one(inside: &Inside<'_>, slot: &Slot) -> Result<(), FreedTwice> {
    pressure::note_freed(inside.mutator(), slot.class().shape().slot_bytes as usize);
    let result = give_slots(slot.class(), &[slot.start().get()]);
    surplus::look(inside);
    result
}

/// Returns all that a record caches and claims to the heap. Its thread is gone.
///
/// A handler may have ended the thread while it changed a magazine. Nobody knows then what was in it, nor where its array
/// begins: the slots are left to a collection, and the array to nobody.
///
/// # Safety
/// Nobody else uses the record.
pub unsafe fn abandon(mutator: &Mutator) {
    // SAFETY: by the caller's promise we stand in for the owner.
    unsafe { late::give_all(mutator) };
    mutator.for_each_class_used(|class| {
        let magazine = mutator.magazine(class);
        // SAFETY: by the caller's promise we stand in for the owner.
        unsafe {
            let claimed = core::mem::take(&mut *magazine.claimed.get());
            if !magazine.is_whole() && !zeal::is_slow_path_only() {
                magazine.forget();
            } else if !magazine.is_empty() {
                let mut contents = magazine.close();
                // A slot that is also in the bitmap was freed twice by a thread that is gone: it is free now.
                let _ = give_slots(class, contents.slots());
                contents.count = 0;
                magazine.open(contents);
            }
            if claimed != 0 {
                centre::give_back(class, claimed - 1, false);
            }
            *magazine.visits.get() = 0;
        }
    });
    let mut limit_bytes = 0;
    // SAFETY: as above.
    mutator.for_each_class_used(|class| unsafe {
        limit_bytes += mutator.magazine(class).limit_count() * class.shape().slot_bytes as usize;
    });
    // SAFETY: as above.
    unsafe { *mutator.cached_limit_bytes.get() = limit_bytes };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::{ensure_reserved, gate, kind::Kind, size_class};

    #[test]
    fn a_magazine_whose_owner_ended_while_it_changed_gets_another_array() {
        assert!(ensure_reserved());
        let nobodys_id = u32::MAX / 4;
        let record = mutator::obtain(nobodys_id).expect("a record");
        let class = Class::small(Kind::POINTER_FREE, size_class::of(64));
        let fill = || {
            let inside = gate::enter(record).expect("no handler runs");
            assert!(refill(&inside, class));
        };
        fill();
        let magazine = record.magazine(class);
        // SAFETY: the record is ours.
        let (contents, capacity) = unsafe { (magazine.close(), *magazine.capacity.get() as usize) };
        let array = Range::sized(Addr::of(contents.array), capacity * size_of::<usize>());
        // SAFETY: as above.
        unsafe { abandon(record) };
        fill();
        // SAFETY: as above.
        let (cached, limit_bytes) = unsafe { (magazine.cached(), *record.cached_limit_bytes.get()) };
        assert!(!array.contains(Addr::of(cached.as_ptr())), "the array begins in the middle of the one before");
        // SAFETY: as above.
        assert_eq!(limit_bytes, unsafe { magazine.limit_count() } * 64);
        // SAFETY: as above.
        unsafe { abandon(record) };
        record.release();
    }

    #[test]
    fn a_thread_that_was_refused_units_gets_a_block_of_its_class_by_the_collection() {
        assert!(ensure_reserved());
        let record = mutator::obtain(u32::MAX / 4 + 3).expect("a record");
        let class = Class::small(Kind::TYPED, size_class::of(1024));
        // SAFETY: the record is ours.
        let claimed = || unsafe { *record.magazine(class).claimed.get() };
        serve(record);
        assert_eq!(claimed(), 0, "who was refused nothing gets something");
        record.refused_class.store(class.index() as u32, Ordering::Relaxed);
        serve(record);
        let unit = claimed();
        assert!(unit != 0 && record.refused_class.load(Ordering::Relaxed) == 0);
        assert!(units::class_of(unit - 1) == class && units::block(unit - 1).state() == units::State::Claimed);
        record.refused_class.store(Class::large(Kind::SCANNED).index() as u32, Ordering::Relaxed);
        serve(record);
        // SAFETY: as above.
        unsafe { abandon(record) };
        record.release();
    }

    #[test]
    fn where_blocks_are_much_shared_they_are_until_a_class_is_used_much_and_again_after_a_collection() {
        assert!(ensure_reserved());
        let records = [1, 2].map(|number| mutator::obtain(u32::MAX / 4 + number).expect("a record"));
        let class = Class::small(Kind::TYPED, size_class::of(2048));
        let refilled = |record: &'static Mutator| {
            set_much_shared(true);
            let inside = gate::enter(record).expect("no handler runs");
            while !record.magazine(class).is_empty() {
                // SAFETY: the record is ours.
                unsafe { record.magazine(class).pop() };
            }
            assert!(refill(&inside, class));
            // SAFETY: as above.
            let first = Addr::new(unsafe { record.magazine(class).cached() }[0]);
            cage::unit_of(first).expect("a unit of the heap")
        };
        let are_shared = || refilled(records[0]) == refilled(records[1]);
        assert!(are_shared(), "each thread begins with a block of its own");
        (1..SHARED_REFILLS).for_each(|_| _ = are_shared());
        assert!(!are_shared(), "threads that use a class much share a block of it");
        for record in records {
            // SAFETY: the records are ours.
            unsafe { end_claims_of(record, |unit| centre::give_back(class, unit, false)) };
        }
        assert!(are_shared(), "what a collection does has no effect");
        set_much_shared(false);
        for record in records {
            // SAFETY: as above.
            unsafe { abandon(record) };
            record.release();
        }
    }
}
