//! Claims: threads that take blocks from a centre, give them back, and free slots into them.
//!
//! Whatever they do, afterwards each block is in one place only: claimed by one thread, on its list once if it has
//! room, or given up if it is wholly free; and a block with room is not lost.

use super::{
    Model, check, empty_heap, join, large_slots, large_slots_of_malloc, no_more_units, record, small_slots, start,
    unlist_all,
};
use gleaner::{
    base::{addr::Ambiguous, bits, sync::Ordering},
    heap::{
        self, Request,
        cage::{self, CAGE, Unit},
        centre, gate,
        kind::Kind,
        mutator::Mutator,
        refill, resolve,
        size_class::UNIT,
        units::{self, Class, State},
    },
};
use loom::cell::UnsafeCell;
use std::sync::Arc;

/// A block that the calling thread has claimed, with its first `in_use` slots handed out.
fn claimed_block(class: Class, in_use: u32) -> Unit {
    let unit = centre::claim(class).expect("room for a block");
    units::words(unit)[0].allocated.store(bits::low_mask(in_use as usize), Ordering::Relaxed);
    units::block(unit).free.store(class.shape().slots - in_use, Ordering::Relaxed);
    unit
}

/// Two blocks that no thread has claimed.
fn unclaimed_blocks(class: Class, in_use: [u32; 2]) -> [Unit; 2] {
    let units = in_use.map(|in_use| claimed_block(class, in_use));
    units.into_iter().for_each(|unit| centre::give_back(class, unit, false));
    units
}

/// Frees one slot of a block, past the magazine.
fn free(mutator: &Mutator, unit: Unit, slot: usize) {
    let inside = gate::enter(mutator).expect("no handler runs");
    let slot_bytes = units::class_of(unit).shape().slot_bytes as usize;
    let place = resolve::locate(cage::addr_of(unit) + slot * slot_bytes).expect("a slot of ours");
    assert_eq!(refill::give_one(&inside, &place), Ok(()), "the slot was in use");
}

/// What the claiming of one block writes: loom reports two claims at once.
struct Claims(Vec<UnsafeCell<u32>>);

// SAFETY: loom watches every access.
unsafe impl Sync for Claims {}
// SAFETY: as above.
unsafe impl Send for Claims {}

impl Claims {
    fn new() -> Arc<Claims> {
        Arc::new(Claims((0..4).map(|_| UnsafeCell::new(0)).collect()))
    }

    fn write(&self, unit: Unit) {
        // SAFETY: loom watches the access.
        self.0[unit as usize].with_mut(|value| unsafe { *value += 1 });
    }
}

/// What must be true of the blocks of a class when all threads are done.
fn judge(class: Class, blocks: &[Unit]) {
    blocks.iter().for_each(|&unit| judge_block(class, unit));
    let is_listed = |unit: &Unit| units::class_of(*unit) == class && units::block(*unit).state() == State::Listed;
    let mut expected: Vec<Unit> = blocks.iter().copied().filter(is_listed).collect();
    let mut found = unlist_all(class);
    expected.sort();
    found.sort();
    assert_eq!(found, expected, "the list has the blocks in state Listed, each once");
}

fn judge_block(class: Class, unit: Unit) {
    let (block, slots) = (units::block(unit), class.shape().slots);
    let is_used = CAGE.lock().as_ref().expect("reserved").is_used(unit);
    assert_eq!(units::class_of(unit) == Class::FREE, !is_used, "a unit without a class is given up, and the reverse");
    if units::class_of(unit) == class {
        let in_use = units::words(unit)[0].allocated.load(Ordering::Relaxed).count_ones();
        let free = block.free.load(Ordering::Relaxed);
        assert_eq!(free + in_use, slots, "the free counter is the clear bits");
        assert!(block.state() != State::Full || free < (slots / 16).max(1), "a block with room is lost");
    }
}

/// A full block is given back while so many slots of it are freed that it has just enough room to be listed.
fn give_back_and_free() {
    empty_heap();
    let (one, two, class) = (record(1), record(2), small_slots());
    let unit = claimed_block(class, class.shape().slots);
    join([
        start(3, move || centre::give_back(class, unit, false)),
        start(1, move || free(one, unit, 0)),
        start(2, move || free(two, unit, 1)),
    ]);
    assert_eq!(units::block(unit).state(), State::Listed, "a block with room is lost");
    judge(class, &[unit]);
}

/// Two threads claim, one of them gives back, while a slot of a full block is freed.
fn claims_and_free() {
    empty_heap();
    let (one, class, claims) = (record(1), large_slots(), Claims::new());
    let [full, with_room] = unclaimed_blocks(class, [4, 3]);
    no_more_units();
    let claim = move |claims: &Claims| centre::claim(class).inspect(|&unit| claims.write(unit));
    let (first, second) = (claims.clone(), claims);
    join([
        start(1, move || free(one, full, 2)),
        start(2, move || _ = claim(&first)),
        start(3, move || {
            if let Some(unit) = claim(&second) {
                centre::give_back(class, unit, false);
            }
        }),
    ]);
    judge(class, &[full, with_room]);
}

/// The last two slots of a block are freed, so that it is wholly free, while another thread claims.
fn wholly_free_and_claim() {
    empty_heap();
    let (one, two, class) = (record(1), record(2), large_slots());
    let [other, emptied] = unclaimed_blocks(class, [3, 2]);
    no_more_units();
    join([
        start(1, move || free(one, emptied, 0)),
        start(2, move || free(two, emptied, 1)),
        start(3, move || assert!(centre::claim(class).is_some(), "there is always a block with room")),
    ]);
    judge(class, &[other, emptied]);
}

/// As before, but the unit that is given up is taken for another class, while a thread that freed into it still looks.
fn given_up_and_taken() {
    empty_heap();
    let (one, two) = (record(1), record(2));
    let (class, next_class) = (large_slots(), large_slots_of_malloc());
    let [listed, emptied] = unclaimed_blocks(class, [3, 2]);
    join([
        start(1, move || free(one, emptied, 0)),
        start(2, move || {
            free(two, emptied, 1);
            let unit = centre::claim(next_class).expect("room for a block");
            centre::give_back(next_class, unit, false);
        }),
    ]);
    judge(class, &[listed, emptied]);
    assert_eq!(unlist_all(next_class).len(), 1, "the next class's block is on its list");
}

/// A block is taken from the cage where an earlier one left its bits, while another thread looks an address up there.
fn take_and_look_up() {
    empty_heap();
    let class = large_slots();
    let next = claimed_block(class, 4) + 1;
    units::words(next)[0].allocated.store(u64::MAX, Ordering::Relaxed);
    join([
        start(1, move || assert_eq!(centre::claim(class), Some(next))),
        start(2, move || {
            let word = Ambiguous(cage::addr_of(next).get());
            assert_eq!(resolve::resolve(word), None, "no slot of the new block is in use");
        }),
    ]);
}

/// A large object is made, while another thread looks an address in it up.
fn large_and_look_up() {
    const UNITS: usize = 5;
    empty_heap();
    let thread = record(1);
    let first = claimed_block(large_slots(), 4) + 1;
    join([
        start(1, move || {
            let inside = gate::enter(thread).expect("no handler runs");
            let request = Request::new(UNITS * UNIT - 1, Kind::POINTER_FREE);
            assert_eq!(heap::allocate(&inside, &request), Some(cage::addr_of(first)));
        }),
        start(2, move || {
            if let Some(object) = resolve::resolve(Ambiguous(cage::addr_of(first + 1).get())) {
                assert_eq!((object.start(), object.bytes()), (cage::addr_of(first), UNITS * UNIT), "a whole object");
            }
        }),
    ]);
}

#[test]
fn a_block_is_in_one_place_only_and_none_with_room_is_lost() {
    let models = [
        Model::new("give back and free", give_back_and_free),
        Model::new("claims and free", claims_and_free),
        Model::new("wholly free and claim", wholly_free_and_claim),
        Model::new("given up and taken", given_up_and_taken),
        Model::new("take and look up", take_and_look_up),
        Model::new("large object and look up", large_and_look_up),
    ];
    check(&models, &["src/heap/centre.rs", "src/heap/units.rs"], &[], &[]);
}
