//! Refill against flush: the thread that has claimed a block takes slots of it while others free into it.
//!
//! No slot is handed out twice, none is lost, its last owner's accesses are over before the next one's begin, and the
//! free counter is right in the end.

use super::{Model, check, empty_heap, join, large_slots, no_more_units, record, start, unlist_all};
use gleaner::{
    base::sync::Ordering,
    heap::{
        self, Request,
        cage::Unit,
        gate,
        kind::Kind,
        mutator::Mutator,
        refill::{self, FreedTwice},
        resolve::{self, Slot},
        units::{self, State},
    },
};
use loom::cell::UnsafeCell;
use std::sync::Arc;

/// What the objects of the only block hold; loom reports two owners at once.
struct Contents(Vec<UnsafeCell<u32>>);

// SAFETY: loom watches every access.
unsafe impl Sync for Contents {}
// SAFETY: as above.
unsafe impl Send for Contents {}

impl Contents {
    fn new() -> Arc<Contents> {
        Arc::new(Contents((0..4).map(|_| UnsafeCell::new(0)).collect()))
    }

    fn write(&self, slot: &Slot) {
        // SAFETY: loom watches the access.
        self.0[slot.index()].with_mut(|value| unsafe { *value += 1 });
    }
}

fn allocate(mutator: &Mutator) -> Option<Slot> {
    let inside = gate::enter(mutator).expect("no handler runs");
    let object = heap::allocate(&inside, &Request::new((16 << 10) - 1, Kind::POINTER_FREE))?;
    Some(resolve::object_at(object).expect("what is handed out is in use"))
}

fn free(mutator: &Mutator, slot: &Slot) -> Result<(), FreedTwice> {
    let inside = gate::enter(mutator).expect("no handler runs");
    refill::give_one(&inside, slot)
}

/// The only block of a heap, claimed by a thread that has taken its first `N` slots.
fn only_block<const N: usize>(owner: &Mutator) -> [Slot; N] {
    empty_heap();
    let slots = core::array::from_fn(|_| allocate(owner).expect("room for a block"));
    no_more_units();
    slots
}

/// What must be true when all threads are done and `in_use` slots are.
fn judge(unit: Unit, in_use: u32) {
    let (block, word) = (units::block(unit), &units::words(unit)[0]);
    assert_eq!(word.allocated.load(Ordering::Relaxed).count_ones(), in_use, "slots in use");
    let free = block.free.load(Ordering::Relaxed);
    assert_eq!(free, large_slots().shape().slots - in_use, "the free counter is the clear bits");
    let (state, listed) = (block.state(), unlist_all(large_slots()));
    match state {
        State::Claimed => assert_eq!(listed, []),
        State::Listed => assert_eq!(listed, [unit]),
        State::Full => assert_eq!((free, listed), (0, Vec::new()), "a block with room is lost"),
    }
}

/// The owner takes two slots while two others are freed, which it may get.
fn take_and_free() {
    let threads = [record(1), record(2), record(3)];
    let freed = only_block::<2>(threads[0]);
    let contents = Contents::new();
    let [owner, ..] = threads;
    let taking = start(1, {
        let contents = contents.clone();
        move || {
            let taken = [(); 2].map(|()| allocate(owner).expect("two slots were free from the start"));
            assert_ne!(taken[0], taken[1], "a slot is handed out twice");
            taken.iter().for_each(|slot| contents.write(slot));
        }
    });
    let freeing = [1, 2].map(|index| {
        let (thread, slot, contents) = (threads[index], freed[index - 1], contents.clone());
        start(index as u32 + 1, move || {
            contents.write(&slot);
            assert_eq!(free(thread, &slot), Ok(()));
        })
    });
    join(freeing.into_iter().chain([taking]));
    judge(freed[0].unit(), 2);
}

/// The owner takes all that there is, while a slot is freed: it may get that one before it has been counted as free.
fn take_all_and_free() {
    let (owner, other) = (record(1), record(2));
    let slots = only_block::<3>(owner);
    let freed = slots[0];
    let taken = Arc::new(loom::sync::atomic::AtomicU32::new(0));
    let taking = start(1, {
        let taken = taken.clone();
        move || {
            while allocate(owner).is_some() {
                taken.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let freeing = start(2, move || assert_eq!(free(other, &freed), Ok(())));
    join([taking, freeing]);
    judge(freed.unit(), 2 + taken.load(Ordering::Relaxed));
}

/// The owner has used its block up and wants more, while another thread frees one slot of it.
fn used_up_and_free() {
    let threads = [record(1), record(2)];
    let slots = only_block::<4>(threads[0]);
    let contents = Contents::new();
    let taken = Arc::new(loom::sync::atomic::AtomicBool::new(false));
    let [owner, other] = threads;
    let freed = slots[3];
    let taking = start(1, {
        let (contents, taken) = (contents.clone(), taken.clone());
        move || {
            if let Some(slot) = allocate(owner) {
                contents.write(&slot);
                taken.store(true, Ordering::Relaxed);
            }
        }
    });
    let freeing = start(2, move || {
        contents.write(&freed);
        assert_eq!(free(other, &freed), Ok(()));
    });
    join([taking, freeing]);
    judge(freed.unit(), if taken.load(Ordering::Relaxed) { 4 } else { 3 });
}

/// Puts slots into a thread's magazine.
fn cache(mutator: &Mutator, slots: &[Slot]) {
    let inside = gate::enter(mutator).expect("no handler runs");
    for slot in slots {
        // SAFETY: the model runs this thread's part, and the slot is in use.
        while !unsafe { mutator.magazine(large_slots()).push(slot.start().as_ptr()) } {
            assert_eq!(refill::make_room(&inside, large_slots()), Ok(()));
        }
    }
}

/// A thread flushes half of a full magazine, two slots of one word, while the owner of their block wants more.
fn flush_and_take() {
    let (owner, other) = (record(1), record(2));
    let slots = only_block::<4>(owner);
    let (contents, taken) = (Contents::new(), Arc::new(loom::sync::atomic::AtomicU32::new(0)));
    cache(other, &slots);
    let taking = start(1, {
        let (contents, taken) = (contents.clone(), taken.clone());
        move || {
            while let Some(slot) = allocate(owner) {
                contents.write(&slot);
                taken.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let flushing = start(2, move || {
        slots[..2].iter().for_each(|slot| contents.write(slot));
        let inside = gate::enter(other).expect("no handler runs");
        assert_eq!(refill::make_room(&inside, large_slots()), Ok(()));
    });
    join([taking, flushing]);
    judge(slots[0].unit(), 2 + taken.load(Ordering::Relaxed));
}

/// Two threads free the same slot: one of them is told.
fn freed_twice() {
    let threads = [record(1), record(2)];
    let [slot] = only_block(threads[0]);
    let told = Arc::new(loom::sync::atomic::AtomicU32::new(0));
    let freeing = [0, 1].map(|index| {
        let (thread, told) = (threads[index], told.clone());
        start(index as u32 + 1, move || {
            if let Err(FreedTwice(address)) = free(thread, &slot) {
                assert_eq!(address, slot.start());
                told.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    join(freeing);
    assert_eq!(told.load(Ordering::Relaxed), 1, "one of two who free the same slot is told");
    judge(slot.unit(), 0);
}

#[test]
fn no_slot_is_handed_out_twice_and_none_is_lost() {
    let models = [
        Model::new("used up and free", used_up_and_free),
        Model::new("freed twice", freed_twice),
        Model::new("take all and free", take_all_and_free),
        Model::new("flush and take", flush_and_take),
        Model::new("take and free", take_and_free),
    ];
    check(&models, &["src/heap/refill.rs", "src/heap/flush.rs"], &[], &[]);
}
