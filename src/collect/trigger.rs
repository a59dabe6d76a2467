//! When the next collection is due, as arithmetic.
//!
//! ```text
//!   base = live scanned bytes + live pointer-free bytes / 4 + live bytes that were never written / 256
//!   soft = max(base * pace, floor)      due from here on, if the last collection is at least patience * its pause ago
//!   hard = max(base * ceiling, roots, floor)   due at once
//! ```
//!
//! in bytes handed out net of bytes freed by hand. What counts less than it has bytes costs less to mark.
//!
//! Behind malloc the pace is a quarter: a program that leaks is kept close to what it has live. Patience bounds what
//! collecting costs: a collection that takes back a third of what was handed out, or a sixteenth of what is live, leaves
//! it at 5 (a sixth of the time at most); one that takes back less than a tenth doubles it, up to 32: a program that
//! frees by hand is hardly ever collected.
//!
//! The ceiling is there for a program that hands out so fast that patience would not end in time. It is 4, and grows with
//! patience as far as a collection is due before an eighth of the machine's memory has been handed out: one that only
//! grows, quickly, is not collected all the way up.
//!
//! Roots count for the ceiling only: a program that keeps its data in mappings of its own makes every collection read
//! them, however little is on the heap.
//!
//! With `gleaner.h` only, garbage is the rule:
//!
//! ```text
//!   steady = the lesser base of this collection and the one before
//!   budget = clamp(cost / 6 ns * 64 B, steady, 2 * steady), at most steady + 64 MiB
//!   soft = max(budget, floor)           due from here on, if the last collection is at least 10 times its pause ago
//!   hard = max(budget, 8 MiB + 64 KiB a thread, floor)    due at once
//! ```
//!
//! A heap of large objects is marked at the pace of memory: as much again as is live may be handed out. One of small
//! objects costs several times as much by the byte, and gets more, so that collecting costs 6 ns for each 64 B handed out
//! where memory allows; a large heap gets no more than others do. A structure that is just being dropped, or a word that
//! happens to look like an address, makes a base much larger for one collection: that is not worth a larger heap. A
//! small heap is collected while it is in the second cache, unless so much is handed out, in large pieces, or to stop many
//! threads takes so long, that it would spend more than an eleventh of its time so. A pace that the user sets is all there
//! is, in every door. The programs of `libgc.so.1` set a divisor instead (`divided`), and say how much they will need.
//! Their heap is also collected before it grows:
//!
//! ```text
//!   worth  = (2 * live scanned bytes + live pointer-free bytes / 4 + roots) / divisor
//!   step   = min((live bytes + worth) / divisor / 2, 8 MiB)
//!   growth = max(worth + step, clamp(cost / 24 ns * 64 B, 64 KiB, 512 KiB))
//! ```
//!
//! From `growth` on the heap takes no more memory from the system but after a collection; while pages that it has already
//! will do, a collection is due as above. So its size follows bdwgc's, which collects when it is full and `worth` has been
//! handed out, and otherwise grows by its size over the divisor, at most 16 MiB: half of that more than it must, on average.
//! Full, its size is about what is live and what is worth it.
//!
//! Of several threads that allocate, each loses the time of a stop, and together they need `growth` in a fraction of it. So
//! there patience counts here as well, but less of it: no growth is refused before the last collection is 4 times the usual
//! work of one ago, unless 8 MiB + 64 KiB a thread have been handed out, and 2 MiB for each thread that allocates: the more
//! they are, the sooner they have handed out any amount, and the more it takes to stop them. The work of a collection is the
//! time that its thread had a processor: one that waits long for others to get theirs makes no larger heap. The usual work is
//! a shorter one's at once, and grows by no more than a quarter a collection.
//!
//! A dead object with a finalizer stays for one collection more, with all that it reaches, and its finalizer often frees
//! what the heap does not see. So, as with bdwgc, a heap where such objects die is collected sooner before it grows, once
//! 500 more have finalizers than after its last collection:
//!
//! ```text
//!   growth = min(growth, max(live bytes / divisor, 64 KiB))
//! ```
//!
//! That still lets a program that keeps them all have its heap grow by a part of its size each time.
//!
//! Pages that the heap has, which nobody uses, are used first, as bdwgc does it:
//!
//! ```text
//!   soft and hard = max(the above, min(bytes of units with pages - live bytes, cost / 0.5 ns * 64 B))
//! ```
//!
//! So a program whose live data comes and goes is collected as often as the most that it had allows; pages that go unused for
//! long go back to the system.

use super::{roots, settings, stats::COUNTERS};
use crate::{
    base::sync::{AtomicUsize, Ordering},
    heap::{
        mutator,
        pressure::{self, Budget},
        quiet, surplus,
        sweep::Swept,
    },
    os::memory,
};

/// What the trigger remembers from one collection to the next.
pub struct Trigger {
    patience: u64,
    /// The base of the last collection.
    last_base: u64,
    /// What collections have had of a processor: less at once, more by and by.
    usual_work_ns: u64,
}

const PATIENCE_MIN: u64 = 5;
const PATIENCE_MAX: u64 = 32;
const MALLOC_PACE_MILLI: u64 = 250;
const MALLOC_CEILING_MILLI: u64 = 4000;
/// A part of the machine's memory.
const MEMORY_SHARE: usize = 8;
/// See the module's documentation.
const LIBRARY_PATIENCE: u64 = 10;
const SHARED_PATIENCE: u64 = 4;
/// To stop two threads takes about as long.
const FIRST_WORK_NS: u64 = 100_000;
const LIBRARY_FLOOR_MAX: usize = 8 << 20;
const LIBRARY_FLOOR_A_THREAD: usize = 64 << 10;
/// For each of several threads that make the heap grow.
const SHARED_GROWTH_A_THREAD: usize = 2 << 20;
const LIBRARY_CEILING_MILLI: u64 = 2000;
/// More than as much again as is live is handed out up to here.
const LIBRARY_EXTRA_BYTES: u64 = 64 << 20;
/// What collecting may cost for each byte handed out, behind `gleaner.h`.
const BYTES_PER_US: u64 = 64 * 1000 / 6;
/// What it may cost where the heap would have to grow, so that small heaps stay small.
const GROWING_BYTES_PER_US: u64 = 64 * 1000 / 24;
/// What it may cost while there are pages that the heap has already.
const ROOM_BYTES_PER_US: u64 = 64 * 1000 * 2;
const GROWTH_STEP_MAX: u64 = 8 << 20;
const GROWTH_FLOOR_MIN: u64 = 64 << 10;
const GROWTH_FLOOR_MAX: u64 = 512 << 10;
/// Who has allocated so much between two of the last so many collections counts as busy.
const BUSY_BYTES: u64 = 32 << 10;
const BUSY_COLLECTIONS: u64 = 16;
/// So many more finalizers make a difference.
const FINALIZERS_MORE: usize = 500;

/// What a collection cost and brought.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Net bytes handed out since the one before.
    pub spent: u64,
    /// What the sweep found.
    pub swept: Swept,
    /// Bytes of live objects that were never written: nothing was scanned there.
    pub hole_bytes: u64,
    /// Bytes read as roots.
    pub root_bytes: u64,
    /// Bytes of the heap's units that have pages, used or not.
    pub held_bytes: u64,
    /// Threads that have allocated of late: see [`count_busy_threads`].
    pub busy_threads: u64,
    /// How many objects have finalizers, and how many of those that had it found unreachable.
    pub finalizers: (usize, usize),
    /// When it began and ended.
    pub start_ns: u64,
    /// See `start_ns`.
    pub end_ns: u64,
    /// How long the thread that collected had a processor meanwhile; zero where the system does not say.
    pub thread_ns: u64,
}

impl Trigger {
    /// A trigger that has seen nothing.
    pub const fn new() -> Self {
        Trigger { patience: PATIENCE_MIN, last_base: u64::MAX, usual_work_ns: FIRST_WORK_NS }
    }

    /// The budget before the first collection, and after one that was given up.
    pub fn first_budget(spent: usize) -> Budget {
        let bytes = floor_bytes().max(spent);
        Budget {
            soft_bytes: bytes,
            hard_bytes: bytes,
            not_before_ns: 0,
            growth_bytes: usize::MAX,
            growth_hard_bytes: usize::MAX,
        }
    }

    /// The budget after a collection.
    pub fn next_budget(&mut self, outcome: &Outcome) -> Budget {
        let base = base_bytes(outcome);
        let budget = match settings::pace_milli() {
            0 if roots::needs_loader() => self.library_budget(base, outcome),
            0 => self.malloc_budget(base, outcome),
            set => {
                let bytes = floor_bytes().max(part(base, u64::from(set)));
                let (not_before_ns, growth_bytes) = (outcome.end_ns, usize::MAX);
                let growth_hard_bytes = growth_bytes;
                Budget { soft_bytes: bytes, hard_bytes: bytes, not_before_ns, growth_bytes, growth_hard_bytes }
            }
        };
        // Until so much is in use, the program has said, there need be no collection.
        let room = settings::expected_bytes().saturating_sub(outcome.swept.live_bytes as usize);
        Budget {
            soft_bytes: budget.soft_bytes.max(room),
            hard_bytes: budget.hard_bytes.max(room),
            // What blocks of other classes have free of it is no room for the next object.
            growth_bytes: budget.growth_bytes.max(room / 2),
            growth_hard_bytes: budget.growth_hard_bytes.max(room / 2),
            ..budget
        }
    }

    fn library_budget(&mut self, base: u64, outcome: &Outcome) -> Budget {
        let divisor = settings::space_divisor();
        let steady = base.min(core::mem::replace(&mut self.last_base, base));
        let bytes = divided(affordable_bytes(steady, outcome.cost_ns()), steady) as usize;
        let room = room_bytes(outcome, divisor);
        let growth_bytes = growth_bytes(outcome, divisor);
        let (many, growth_if_many) = bound_by_finalizers(outcome, divisor);
        // Relaxed: the world is stopped.
        FINALIZERS_MANY.store(many, Ordering::Relaxed);
        GROWTH_IF_MANY.store(growth_if_many, Ordering::Relaxed);
        Budget {
            soft_bytes: bytes.max(floor_bytes()).max(room),
            hard_bytes: bytes.max(library_floor_max()).max(room),
            not_before_ns: outcome.end_ns + self.patience_ns(outcome, divisor),
            growth_bytes,
            growth_hard_bytes: patient_growth_bytes(outcome, growth_bytes, divisor),
        }
    }

    /// How long patience lasts. Where threads wait for processors, some collections take as long as one of them waits, and
    /// the first takes longer than others; so for threads that would make the heap grow meanwhile it is measured by
    /// what work collections usually are.
    fn patience_ns(&mut self, outcome: &Outcome, divisor: u32) -> u64 {
        self.usual_work_ns = outcome.work_ns().min(self.usual_work_ns + self.usual_work_ns / 4);
        if outcome.is_growth_shared(divisor) {
            self.usual_work_ns * SHARED_PATIENCE
        } else {
            outcome.cost_ns() * LIBRARY_PATIENCE
        }
    }

    fn malloc_budget(&mut self, base: u64, outcome: &Outcome) -> Budget {
        let returned = outcome.swept.reclaimed_bytes;
        if returned > outcome.spent / 3 || returned > outcome.swept.live_bytes / 16 {
            self.patience = PATIENCE_MIN;
        } else if returned < outcome.spent / 10 {
            self.patience = (self.patience * 2).min(PATIENCE_MAX);
        }
        let ceiling = part(base, MALLOC_CEILING_MILLI).max(outcome.root_bytes as usize).max(floor_bytes());
        Budget {
            soft_bytes: part(base, MALLOC_PACE_MILLI).max(floor_bytes()),
            hard_bytes: self.malloc_ceiling(ceiling),
            not_before_ns: outcome.end_ns + outcome.cost_ns() * self.patience,
            growth_bytes: usize::MAX,
            growth_hard_bytes: usize::MAX,
        }
    }

    /// What may be handed out at most, where `usual` is that at the least patience.
    fn malloc_ceiling(&self, usual: usize) -> usize {
        if self.patience == PATIENCE_MIN {
            return usual;
        }
        let patient = usual.saturating_mul(self.patience as usize) / PATIENCE_MIN as usize;
        patient.min(memory::bytes_max() / MEMORY_SHARE).max(usual)
    }
}

impl Outcome {
    fn cost_ns(&self) -> u64 {
        self.end_ns - self.start_ns
    }

    /// What of its cost was not waiting, as far as is known.
    fn work_ns(&self) -> u64 {
        match self.thread_ns {
            0 => self.cost_ns(),
            known => known.min(self.cost_ns()),
        }
    }

    /// Whether several threads make a heap grow that is collected before it does.
    fn is_growth_shared(&self, divisor: u32) -> bool {
        self.busy_threads > 1 && divisor != 0
    }
}

/// The live bytes, each by what it costs to mark.
fn base_bytes(outcome: &Outcome) -> u64 {
    let pointer_free = outcome.swept.live_pointer_free_bytes;
    let scanned = (outcome.swept.live_bytes - pointer_free).saturating_sub(outcome.hole_bytes);
    scanned + pointer_free / 4 + outcome.hole_bytes / 256
}

/// So many thousandths.
fn part(bytes: u64, milli: u64) -> usize {
    (bytes / 1000).saturating_mul(milli) as usize
}

/// What may be handed out where so many bytes are live for good, and a collection takes so long.
fn affordable_bytes(steady: u64, cost_ns: u64) -> u64 {
    let affordable = cost_ns.saturating_mul(BYTES_PER_US) / 1000;
    let most = (part(steady, LIBRARY_CEILING_MILLI) as u64).min(steady.saturating_add(LIBRARY_EXTRA_BYTES)).max(steady);
    affordable.clamp(steady, most)
}

/// What `bytes`, for `steady` ones that are live, come to under [`settings::space_divisor`]: with the usual one they stay;
/// a smaller one gives at least twice what is live divided by it, a larger one less in proportion.
fn divided(bytes: u64, steady: u64) -> u64 {
    match u64::from(settings::space_divisor()) {
        0 => bytes,
        divisor @ ..settings::USUAL_SPACE_DIVISOR => bytes.max(steady.saturating_mul(2) / divisor.max(1)),
        divisor => bytes.saturating_mul(settings::USUAL_SPACE_DIVISOR) / divisor,
    }
}

/// What may be handed out of the pages that the heap has already, where it is collected before it grows.
fn room_bytes(outcome: &Outcome, divisor: u32) -> usize {
    if divisor == 0 {
        return 0;
    }
    let room = outcome.held_bytes.saturating_sub(outcome.swept.live_bytes);
    room.min(outcome.cost_ns().saturating_mul(ROOM_BYTES_PER_US) / 1000) as usize
}

/// What may be handed out until the heap is collected before it grows, under [`settings::space_divisor`].
fn growth_bytes(outcome: &Outcome, divisor: u32) -> usize {
    if divisor == 0 {
        return usize::MAX;
    }
    let pointer_free = outcome.swept.live_pointer_free_bytes;
    let scanned = (outcome.swept.live_bytes - pointer_free).saturating_sub(outcome.hole_bytes);
    let searched = 2 * scanned + pointer_free / 4 + outcome.root_bytes;
    let affordable = outcome.cost_ns().saturating_mul(GROWING_BYTES_PER_US) / 1000;
    let floor = affordable.clamp(GROWTH_FLOOR_MIN, GROWTH_FLOOR_MAX);
    let worth = searched / u64::from(divisor);
    let step = ((outcome.swept.live_bytes + worth) / u64::from(divisor) / 2).min(GROWTH_STEP_MAX);
    (worth + step).max(floor) as usize
}

/// What may be handed out at most until then while patience lasts, where it is `growth` without.
fn patient_growth_bytes(outcome: &Outcome, growth: usize, divisor: u32) -> usize {
    if !outcome.is_growth_shared(divisor) {
        return growth;
    }
    let shared = (SHARED_GROWTH_A_THREAD * outcome.busy_threads as usize).min(memory::bytes_max() / MEMORY_SHARE);
    growth.max(library_floor_max()).max(shared)
}

/// Threads that have allocated more than a little of late: of several that share a processor, one runs between two
/// collections. Before the collection with this number the world is stopped.
pub fn count_busy_threads(number: u64) -> u64 {
    let is_busy = |record: &&mutator::Mutator| {
        // Relaxed: the owner stands still.
        let allocated = record.allocated_bytes.load(Ordering::Relaxed);
        if allocated - record.allocated_before.swap(allocated, Ordering::Relaxed) >= BUSY_BYTES {
            record.busy_before.store(number, Ordering::Relaxed);
        }
        let busy_before = record.busy_before.load(Ordering::Relaxed);
        record.is_alive() && busy_before != 0 && number.saturating_sub(busy_before) < BUSY_COLLECTIONS
    };
    mutator::all().filter(is_busy).count() as u64
}

/// So many finalizers bound the growth of the heap, and to so many bytes.
static FINALIZERS_MANY: AtomicUsize = AtomicUsize::new(usize::MAX);
static GROWTH_IF_MANY: AtomicUsize = AtomicUsize::new(usize::MAX);

/// How many finalizers bound the growth until the next collection, and to how many bytes.
fn bound_by_finalizers(outcome: &Outcome, divisor: u32) -> (usize, usize) {
    let (count, dead) = outcome.finalizers;
    if divisor == 0 || dead == 0 {
        return (usize::MAX, usize::MAX);
    }
    (count + FINALIZERS_MORE, (outcome.swept.live_bytes / u64::from(divisor)).max(GROWTH_FLOOR_MIN) as usize)
}

/// So many objects have finalizers now. The caller is inside its gate.
pub fn note_finalizers(count: usize) {
    // Relaxed: written with the world stopped.
    if count > FINALIZERS_MANY.load(Ordering::Relaxed) {
        pressure::bound_growth(GROWTH_IF_MANY.load(Ordering::Relaxed));
    }
}

/// Sets [`settings::space_divisor`]: from now on the heap is collected before it grows.
pub fn set_space_divisor(divisor: u32) {
    settings::set_space_divisor(divisor);
    quiet::set_on(divisor != 0);
    if COUNTERS.collections.load(Ordering::Relaxed) == 0 {
        pressure::bound_growth(GROWTH_FLOOR_MAX as usize);
    }
}

/// From now on no collection is due before `bytes` are in use or the heap has taken so many, and pages for so many stay.
pub fn expect(bytes: usize) {
    settings::set_expected_bytes(bytes);
    surplus::keep(bytes);
    pressure::set_expected_bytes(bytes);
    let live = COUNTERS.live_bytes_last.load(Ordering::Relaxed) as usize;
    pressure::raise(bytes.saturating_sub(live));
}

/// The least that is allocated between two collections: as set, else 8 MiB behind malloc, where little is garbage, and
/// 1 MiB a thread where everything may be, so that a small heap is collected while it is in the second cache.
pub fn floor_bytes() -> usize {
    match settings::floor_bytes() {
        0 if roots::needs_loader() => (1 << 20) * mutator::count_alive().clamp(1, 8),
        0 => 8 << 20,
        set => set,
    }
}

/// The most that may be handed out behind `gleaner.h` while patience lasts.
fn library_floor_max() -> usize {
    if settings::floor_bytes() != 0 {
        return floor_bytes();
    }
    floor_bytes().max(LIBRARY_FLOOR_MAX + mutator::count_alive() * LIBRARY_FLOOR_A_THREAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(spent: u64, reclaimed_bytes: u64) -> Outcome {
        let swept = Swept { reclaimed_bytes, live_bytes: 1 << 30, ..Swept::default() };
        Outcome {
            spent,
            swept,
            hole_bytes: 0,
            root_bytes: 0,
            held_bytes: 0,
            busy_threads: 1,
            finalizers: (0, 0),
            start_ns: 1_000_000_000,
            end_ns: 1_010_000_000,
            thread_ns: 10_000_000,
        }
    }

    /// The budget behind malloc.
    fn after(trigger: &mut Trigger, outcome: &Outcome) -> Budget {
        trigger.malloc_budget(base_bytes(outcome), outcome)
    }

    #[test]
    fn patience_doubles_with_fruitless_collections_and_is_back_with_a_fruitful_one() {
        let mut trigger = Trigger::new();
        let waits: [u64; 4] =
            core::array::from_fn(|_| after(&mut trigger, &outcome(1000, 0)).not_before_ns - 1_010_000_000);
        assert_eq!(waits, [100_000_000, 200_000_000, 320_000_000, 320_000_000]);
        let wait = after(&mut trigger, &outcome(1000, 400)).not_before_ns - 1_010_000_000;
        assert_eq!(wait, 50_000_000);
    }

    #[test]
    fn the_ceiling_grows_with_patience_up_to_a_part_of_the_memory() {
        let ceiling = |patience, usual| Trigger { patience, last_base: 0, usual_work_ns: 0 }.malloc_ceiling(usual);
        let most = memory::bytes_max() / MEMORY_SHARE;
        assert_eq!([5, 10, 20, 32].map(|patience| ceiling(patience, 1000)), [1000, 2000, 4000, 6400]);
        assert_eq!(ceiling(32, most / 2), most);
        assert_eq!(ceiling(32, most + 1), most + 1);
    }

    #[test]
    fn what_is_cheap_to_mark_gets_as_much_again_and_what_is_not_more() {
        const LIVE: u64 = 32_000_000;
        assert_eq!(affordable_bytes(LIVE, LIVE / 16), LIVE);
        assert_eq!(affordable_bytes(LIVE, LIVE * 3 / 16), LIVE * 3 / 16 * BYTES_PER_US / 1000);
        assert_eq!(affordable_bytes(LIVE, LIVE), LIVE * 2);
        assert_eq!(affordable_bytes(10 * LIVE, 10 * LIVE), 10 * LIVE + LIBRARY_EXTRA_BYTES);
        assert_eq!(affordable_bytes(0, 1), 0);
    }

    #[test]
    fn several_threads_may_have_the_heap_grow_while_patience_lasts() {
        const GROWTH: usize = 1 << 20;
        let mut outcome = outcome(1000, 400);
        let mut patience = |busy_threads, divisor| {
            outcome.busy_threads = busy_threads;
            let mut trigger = Trigger { patience: PATIENCE_MIN, last_base: 0, usual_work_ns: 1_000_000 };
            (trigger.patience_ns(&outcome, divisor), patient_growth_bytes(&outcome, GROWTH, divisor))
        };
        for (busy_threads, divisor) in [(1, 3), (2, 0)] {
            assert_eq!(patience(busy_threads, divisor), (100_000_000, GROWTH));
        }
        assert_eq!(patience(2, 3), (5_000_000, library_floor_max()));
        assert_eq!(patience(64, 3), (5_000_000, (64 * SHARED_GROWTH_A_THREAD).min(memory::bytes_max() / MEMORY_SHARE)));
    }

    #[test]
    fn patience_of_several_threads_ends_at_once_where_collections_cost_less_and_grows_by_and_by() {
        let mut outcome = outcome(1000, 400);
        outcome.busy_threads = 2;
        let mut trigger = Trigger::new();
        let mut patience = |work_ns| {
            outcome.thread_ns = work_ns;
            trigger.patience_ns(&outcome, 3) / SHARED_PATIENCE
        };
        assert_eq!([80_000, 3_000_000, 60_000].map(&mut patience), [80_000, 100_000, 60_000]);
        let grown = (0..20).map(|_| patience(1_000_000)).take_while(|&usual| usual < 1_000_000).count();
        assert!((5..19).contains(&grown), "after {grown} collections");
    }

    #[test]
    fn patience_of_several_threads_counts_no_waiting_for_processors() {
        let mut outcome = outcome(1000, 400);
        outcome.busy_threads = 2;
        let patience = |outcome: &Outcome| {
            let mut trigger = Trigger { patience: PATIENCE_MIN, last_base: 0, usual_work_ns: u64::MAX / 8 };
            trigger.patience_ns(outcome, 3) / SHARED_PATIENCE
        };
        outcome.thread_ns = 70_000;
        assert_eq!(patience(&outcome), 70_000);
        // A clock of ticks, and none.
        for thread_ns in [outcome.cost_ns() + 1, 0] {
            outcome.thread_ns = thread_ns;
            assert_eq!(patience(&outcome), outcome.cost_ns());
        }
    }

    #[test]
    fn a_thread_is_busy_for_some_collections_after_it_has_allocated_much() {
        let record = mutator::obtain(u32::MAX / 4 + 7).expect("a record");
        record.busy_before.store(0, Ordering::Relaxed);
        let allocate = |bytes| _ = record.allocated_bytes.fetch_add(bytes, Ordering::Relaxed);
        let is_busy = |number| {
            count_busy_threads(number);
            let busy_before = record.busy_before.load(Ordering::Relaxed);
            busy_before != 0 && number.saturating_sub(busy_before) < BUSY_COLLECTIONS
        };
        is_busy(100);
        record.busy_before.store(0, Ordering::Relaxed);
        allocate(BUSY_BYTES - 1);
        assert!(!is_busy(101));
        allocate(BUSY_BYTES);
        assert!(is_busy(102) && is_busy(102 + BUSY_COLLECTIONS - 1) && !is_busy(102 + BUSY_COLLECTIONS));
        record.release();
    }

    #[test]
    fn what_is_large_for_one_collection_makes_no_larger_heap() {
        const LIVE: u64 = 32_000_000;
        let outcome = outcome(1000, 400);
        let mut trigger = Trigger::new();
        let budgets =
            [LIVE, 3 * LIVE, LIVE, 3 * LIVE, 3 * LIVE].map(|base| trigger.library_budget(base, &outcome).hard_bytes);
        let (steady, grown) = (affordable_bytes(LIVE, 10_000_000), affordable_bytes(3 * LIVE, 10_000_000));
        assert_eq!(budgets, [steady, steady, steady, steady, grown].map(|bytes| bytes as usize));
    }

    #[test]
    fn the_heap_grows_by_what_the_divisor_gives_and_a_small_one_by_what_a_collection_costs() {
        const LIVE: u64 = 90_000_000;
        let mut outcome = outcome(1000, 400);
        outcome.root_bytes = 3_000_000;
        outcome.swept.live_bytes = LIVE;
        let growth = [0, 1, 3, 30].map(|divisor| growth_bytes(&outcome, divisor));
        let worth = (2 * LIVE + outcome.root_bytes) as usize;
        let (step, small_step) = (GROWTH_STEP_MAX as usize, (LIVE as usize + worth / 30) / 60);
        assert_eq!(growth, [usize::MAX, worth + step, worth / 3 + step, worth / 30 + small_step]);
        outcome.swept.live_pointer_free_bytes = LIVE;
        assert_eq!(growth_bytes(&outcome, 3) as u64, (LIVE / 4 + outcome.root_bytes) / 3 + GROWTH_STEP_MAX);
        outcome.swept = Swept::default();
        outcome.root_bytes = 0;
        let small = [0, 100_000, 10_000_000].map(|cost_ns| {
            outcome.end_ns = outcome.start_ns + cost_ns;
            growth_bytes(&outcome, 3) as u64
        });
        assert_eq!(small, [GROWTH_FLOOR_MIN, 100 * GROWING_BYTES_PER_US, GROWTH_FLOOR_MAX]);
    }

    #[test]
    fn more_finalizers_bound_the_growth_where_objects_with_finalizers_die() {
        let mut outcome = outcome(1000, 400);
        outcome.finalizers = (2000, 0);
        assert_eq!(bound_by_finalizers(&outcome, 3), (usize::MAX, usize::MAX));
        outcome.finalizers = (2000, 1);
        assert_eq!(bound_by_finalizers(&outcome, 0), (usize::MAX, usize::MAX));
        assert_eq!(bound_by_finalizers(&outcome, 4), (2000 + FINALIZERS_MORE, 1 << 28));
        outcome.swept.live_bytes = 0;
        assert_eq!(bound_by_finalizers(&outcome, 4).1 as u64, GROWTH_FLOOR_MIN);
    }

    #[test]
    fn pages_that_the_heap_has_are_used_first_unless_a_collection_costs_next_to_nothing() {
        const LIVE: u64 = 1_000_000;
        let mut outcome = outcome(1000, 400);
        outcome.swept.live_bytes = LIVE;
        assert_eq!(room_bytes(&outcome, 3), 0);
        outcome.held_bytes = 20 * LIVE;
        assert_eq!([0, 1, 3].map(|divisor| room_bytes(&outcome, divisor)), [0, 19 * LIVE as usize, 19 * LIVE as usize]);
        outcome.end_ns = outcome.start_ns + 10_000;
        assert_eq!(room_bytes(&outcome, 3), 1_280_000);
    }

    #[test]
    fn a_budget_follows_the_live_bytes_and_pointer_free_ones_count_a_quarter() {
        let mut trigger = Trigger::new();
        let all_scanned = after(&mut trigger, &outcome(1000, 400));
        let mut half = outcome(1000, 400);
        half.swept.live_pointer_free_bytes = half.swept.live_bytes;
        let pointer_free = after(&mut trigger, &half);
        assert_eq!(all_scanned.soft_bytes / pointer_free.soft_bytes, 4);
        assert!(all_scanned.soft_bytes <= all_scanned.hard_bytes);
    }
}
