//! The judges are judged: `verify` and `recheck` are shown faults, and have to name them.
//!
//! `verify` is called in this process, on a small heap of its own: the engine is linked here as any crate links it, and
//! nothing collects. Each test plants one fault in the side metadata, expects its name, takes it back, and expects the
//! heap to be in order again.
//!
//! Once it is also shown a fault in a shipped library: `tests/c/planted/verify.c` plants it where the library's symbols say
//! that the side metadata is.
//!
//! `recheck` judges in the middle of a collection. A kind with a trace procedure that shows a child to only one of the
//! two markers plants a lost mark, or a needless one, from outside (`tests/c/planted/recheck.c`).

#[path = "common/doors.rs"]
mod doors;

use gleaner::base::{
    addr::{Addr, Range},
    sync::Ordering,
};
use gleaner::heap::{
    self, Request, cage,
    fiber::{self, Fiber, Life},
    gate,
    kind::{Design, Kind},
    mutator::{self, Mutator},
    resolve::{self, Slot},
    size_class::UNIT,
    units::{self, Block, Class, State, Word},
    verify::{self, Fault},
};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, mpsc};
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(10);

/// The heap, which one test has at a time. Each has its own thread and so its own record.
static HEAP: Mutex<()> = Mutex::new(());

struct Heap {
    mutator: &'static Mutator,
    _alone: MutexGuard<'static, ()>,
}

impl Heap {
    fn lock() -> Heap {
        // A test that failed has left its fault there; the next one says so.
        let alone = HEAP.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        assert!(heap::ensure_reserved(), "address space for a heap");
        let heap = Heap { mutator: mutator::register().expect("memory for a record"), _alone: alone };
        assert_eq!(verify::check(), Ok(()), "the heap is in order before anything is planted");
        heap
    }

    fn allocate(&self, bytes: usize, kind: Kind) -> Slot {
        let inside = gate::enter(self.mutator).expect("no gate is open");
        let object = heap::allocate(&inside, &Request::new(bytes, kind)).expect("room");
        resolve::object_at(object).expect("an object of ours")
    }

    /// A slot that the thread's magazine for the class holds.
    fn cached(&self, class: Class) -> &'static mut [usize] {
        // SAFETY: this thread owns the magazine, and no test runs beside.
        let cached = unsafe { self.mutator.magazine(class).cached() };
        // SAFETY: the array is mapped for ever and writable; the slice ends with the test that asked for it.
        unsafe { std::slice::from_raw_parts_mut(cached.as_ptr().cast_mut(), cached.len()) }
    }
}

fn block(slot: &Slot) -> &'static Block {
    units::block(slot.unit())
}

fn word(slot: &Slot, index: usize) -> &'static Word {
    &units::words(slot.unit())[index]
}

/// Plants, expects `fault`, takes it back, and expects order.
#[track_caller]
fn names(fault: Fault, plant: impl FnOnce(), take_back: impl FnOnce()) {
    plant();
    let found = verify::check();
    take_back();
    assert_eq!(found, Err(fault));
    assert_eq!(verify::check(), Ok(()), "in order once the fault is taken back");
}

#[test]
fn a_fiber_parked_outside_its_stack_is_named() {
    let heap = Heap::lock();
    let slot = heap.allocate(fiber::BYTES, Kind::FIBER);
    // SAFETY: an object of the kind, which this test keeps.
    let fiber = unsafe { Fiber::at(slot.start()) };
    let stack = Range::sized(Addr::new(0x1000), 0x1000);
    fiber.make(stack, stack.end, 0, Life::Root);
    for outside in [stack.start.get() - 8, stack.end.get() + 8] {
        names(
            Fault::Fiber(slot.start()),
            || fiber.make(stack, Addr::new(outside), 0, Life::Root),
            || fiber.make(stack, stack.start, 0, Life::Object),
        );
    }
    fiber.end();
    assert_eq!(verify::check(), Ok(()), "one that has ended has no stack");
}

#[test]
fn a_heap_in_use_is_in_order() {
    let heap = Heap::lock();
    for kind in [Kind::MALLOC, Kind::SCANNED, Kind::POINTER_FREE, Kind::UNCOLLECTABLE] {
        for bytes in [1, 16, 100, 5000, 70_000, 200_000, 1 << 20] {
            heap.allocate(bytes, kind);
        }
    }
    assert_eq!(verify::check(), Ok(()));
}

#[test]
fn a_bit_of_allocated_that_is_flipped_is_named() {
    let heap = Heap::lock();
    let slot = heap.allocate(100, Kind::MALLOC);
    let (word, bit) = (slot.word(), 1 << slot.bit());
    let flip = || _ = word.allocated.fetch_xor(bit, Ordering::Relaxed);
    names(Fault::FreeCount(slot.unit()), flip, flip);
}

#[test]
fn a_wrong_free_count_is_named() {
    let heap = Heap::lock();
    let slot = heap.allocate(100, Kind::MALLOC);
    let free = &block(&slot).free;
    names(
        Fault::FreeCount(slot.unit()),
        || _ = free.fetch_add(1, Ordering::Relaxed),
        || _ = free.fetch_sub(1, Ordering::Relaxed),
    );
}

#[test]
fn a_bit_past_the_last_slot_is_named() {
    let heap = Heap::lock();
    let slot = heap.allocate(5000, Kind::MALLOC);
    let past = slot.class().shape().slots;
    assert!(past < 64, "the last word has room past the last slot");
    let flip = || _ = word(&slot, 0).allocated.fetch_xor(1 << past, Ordering::Relaxed);
    names(Fault::BitsPastEnd(slot.unit()), flip, flip);
}

#[test]
fn a_mark_outside_a_collection_is_named() {
    let heap = Heap::lock();
    for bytes in [16, 5000, 1 << 20] {
        let slot = heap.allocate(bytes, Kind::SCANNED);
        let flip = || _ = slot.word().marked.fetch_xor(1 << slot.bit(), Ordering::Relaxed);
        names(Fault::StaleMarks(slot.unit()), flip, flip);
    }
}

#[test]
fn a_block_without_its_class_is_named() {
    let heap = Heap::lock();
    let slot = heap.allocate(100, Kind::MALLOC);
    let set = |class: Class| units::publish(slot.unit(), 1, class);
    names(Fault::Usage(slot.unit()), || set(Class::FREE), || set(slot.class()));
}

#[test]
fn a_class_on_a_free_unit_is_named() {
    let heap = Heap::lock();
    let slot = heap.allocate(100, Kind::MALLOC);
    let is_free = |unit: &u32| units::class_of(*unit) == Class::FREE && is_reserved(*unit);
    let free = (0..cage::frontier()).rev().find(is_free).expect("a free unit below the frontier");
    let set = |class: Class| units::publish(free, 1, class);
    names(Fault::Usage(free), || set(slot.class()), || set(Class::FREE));
}

/// Whether there is memory behind the unit's number.
fn is_reserved(unit: u32) -> bool {
    cage::unit_of(cage::addr_of(unit)) == Some(unit)
}

#[test]
fn a_block_of_several_units_that_is_torn_is_named() {
    let heap = Heap::lock();
    let slot = heap.allocate(100_000, Kind::MALLOC);
    let shape = slot.class().shape();
    assert!(shape.units > 1, "{shape:?}");
    let last = slot.unit() + shape.units - 1;
    let other = Class::small(Kind::POINTER_FREE, slot.class().size_class());
    names(Fault::Torn(last), || units::publish(last, 1, other), || units::publish(last, 1, slot.class()));
}

#[test]
fn a_large_object_whose_rest_is_torn_or_headless_is_named() {
    let heap = Heap::lock();
    let slot = heap.allocate(1 << 20, Kind::SCANNED);
    let rest = slot.unit() + 3;
    names(
        Fault::Torn(rest),
        || units::publish(rest, 1, Class::large_rest(Kind::POINTER_FREE)),
        || units::publish(rest, 1, Class::large_rest(Kind::SCANNED)),
    );
    let head = units::head_of_rest(rest);
    names(
        Fault::LostHead(rest),
        || head.store(slot.unit() + 1, Ordering::Relaxed),
        || head.store(slot.unit(), Ordering::Relaxed),
    );
    names(
        Fault::LostHead(slot.unit()),
        || units::publish(slot.unit(), 1, Class::large_rest(Kind::SCANNED)),
        || units::publish(slot.unit(), 1, Class::large(Kind::SCANNED)),
    );
}

#[test]
fn a_block_of_a_kind_that_nobody_has_made_is_named() {
    let heap = Heap::lock();
    let slot = heap.allocate(64, Kind::SCANNED);
    let nobodys = Class::small(Kind::from_number(63), slot.class().size_class());
    names(
        Fault::Kind(slot.unit()),
        || units::publish(slot.unit(), 1, nobodys),
        || units::publish(slot.unit(), 1, slot.class()),
    );
}

#[test]
fn a_large_object_that_claims_too_many_units_is_named() {
    let heap = Heap::lock();
    let slot = heap.allocate(1 << 20, Kind::SCANNED);
    let after = slot.unit() + (slot.bytes() / UNIT) as u32;
    let count = &block(&slot).units;
    let fault = if units::class_of(after) == Class::FREE { Fault::Usage(after) } else { Fault::Torn(after) };
    names(fault, || _ = count.fetch_add(1, Ordering::Relaxed), || _ = count.fetch_sub(1, Ordering::Relaxed));
}

/// Blocks of a class of their own on its list, by claiming more than one block and giving up the record.
fn listed_blocks(heap: &Heap) -> Vec<u32> {
    static KINDS: Mutex<()> = Mutex::new(());
    let _one = KINDS.lock();
    let kind = heap::kind::make(Design::of_trace(0)).expect("a kind is left");
    let mut blocks: Vec<u32> = Vec::new();
    let mut slots = Vec::new();
    while blocks.len() < 3 {
        let slot = heap.allocate(5000, kind);
        if blocks.last() != Some(&slot.unit()) {
            blocks.push(slot.unit());
        }
        slots.push(slot);
    }
    // Freeing half of a full block lists it.
    let inside = gate::enter(heap.mutator).expect("no gate is open");
    for slot in slots.iter().filter(|slot| slot.unit() != blocks[2] && slot.index() % 2 == 1) {
        heap::refill::give_one(&inside, slot).expect("freed once");
    }
    let listed: Vec<u32> = blocks.into_iter().filter(|unit| units::block(*unit).state() == State::Listed).collect();
    assert_eq!(listed.len(), 2, "two blocks are on the list of their class");
    listed
}

#[test]
fn a_listed_block_with_another_state_is_named() {
    let heap = Heap::lock();
    let unit = listed_blocks(&heap)[0];
    for state in [State::Full, State::Claimed] {
        names(
            Fault::List(unit),
            || units::block(unit).set_state(state),
            || units::block(unit).set_state(State::Listed),
        );
    }
}

#[test]
fn a_block_that_is_listed_and_on_no_list_is_named() {
    let heap = Heap::lock();
    listed_blocks(&heap);
    // A thread gives its first claims of a class up at once.
    let mut units = (0..100).map(|_| heap.allocate(5000, Kind::POINTER_FREE).unit());
    let unlisted = units.find(|unit| units::block(*unit).state() == State::Claimed).expect("a claimed block");
    let block = units::block(unlisted);
    let former = block.state();
    names(Fault::List(u32::MAX), || block.set_state(State::Listed), || block.set_state(former));
}

#[test]
fn two_lists_that_cross_are_named() {
    let heap = Heap::lock();
    let (one, other) = (listed_blocks(&heap), listed_blocks(&heap));
    let last = |list: &[u32]| {
        *list.iter().find(|unit| units::block(**unit).next.load(Ordering::Relaxed) == 0).expect("an end")
    };
    let next = &units::block(last(&one)).next;
    let stranger = last(&other);
    names(Fault::List(stranger), || next.store(stranger + 1, Ordering::Relaxed), || next.store(0, Ordering::Relaxed));
}

/// What `check` says within the deadline. `None`: it does not come back.
fn check_in_time() -> Option<Result<(), Fault>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(verify::check()));
    receiver.recv_timeout(DEADLINE).ok()
}

#[test]
fn a_list_that_bites_its_tail_is_named() {
    let heap = Heap::lock();
    let listed = listed_blocks(&heap);
    let block = units::block(listed[0]);
    let former = block.next.swap(listed[0] + 1, Ordering::Relaxed);
    let found = check_in_time();
    // A walk that goes round ends here, too.
    block.next.store(former, Ordering::Relaxed);
    let found = found.expect("verify walks a list that bites its tail for ever");
    assert!(matches!(found, Err(Fault::List(_))), "{found:?}");
    assert_eq!(verify::check(), Ok(()));
}

#[test]
fn a_block_with_a_wrong_neighbour_before_it_is_named() {
    let heap = Heap::lock();
    let listed = listed_blocks(&heap);
    for unit in listed {
        let previous = &units::block(unit).previous;
        let former = previous.load(Ordering::Relaxed);
        names(
            Fault::List(unit),
            || previous.store(unit + 1, Ordering::Relaxed),
            || previous.store(former, Ordering::Relaxed),
        );
    }
}

#[test]
fn a_cached_slot_that_the_bitmap_calls_free_is_named() {
    let heap = Heap::lock();
    let slot = heap.allocate(48, Kind::MALLOC);
    let cached = Addr::new(*heap.cached(slot.class()).last().expect("the refill left more than one"));
    let place = resolve::object_at(cached).expect("allocated, as cached slots are");
    let flip = |by: i32| {
        place.word().allocated.fetch_xor(1 << place.bit(), Ordering::Relaxed);
        block(&place).free.fetch_add(by as u32, Ordering::Relaxed);
    };
    names(Fault::Cached(cached), || flip(1), || flip(-1));
}

#[test]
fn a_cached_address_that_is_no_slot_of_the_class_is_named() {
    let heap = Heap::lock();
    let class = heap.allocate(48, Kind::MALLOC).class();
    let stranger = heap.allocate(48, Kind::SCANNED).start().get();
    let cached = heap.cached(class);
    let last = cached.len() - 1;
    let former = cached[last];
    for planted in [former + 16, stranger] {
        names(
            Fault::Cached(Addr::new(planted)),
            || heap.cached(class)[last] = planted,
            || heap.cached(class)[last] = former,
        );
    }
}

#[test]
fn a_slot_cached_twice_is_named() {
    let heap = Heap::lock();
    let class = heap.allocate(48, Kind::MALLOC).class();
    let cached = heap.cached(class);
    assert!(cached.len() >= 2, "the refill left more than one");
    let (first, former) = (cached[0], cached[1]);
    names(Fault::CachedTwice(Addr::new(first)), || heap.cached(class)[1] = first, || heap.cached(class)[1] = former);
}

#[test]
fn a_slot_cached_by_two_threads_is_named() {
    let heap = Heap::lock();
    let class = heap.allocate(48, Kind::MALLOC).class();
    let (cached, resume) = (mpsc::channel(), mpsc::channel::<()>());
    // Another thread with a magazine of its own, which waits while its contents are changed.
    let (sender, receiver) = (cached.0, resume.1);
    let other = std::thread::spawn(move || {
        let mutator = mutator::register().expect("memory for a record");
        let inside = gate::enter(mutator).expect("no gate is open");
        heap::allocate(&inside, &Request::new(48, Kind::MALLOC)).expect("room");
        drop(inside);
        // SAFETY: this thread owns the magazine.
        let words = unsafe { mutator.magazine(class).cached() };
        sender.send((words.as_ptr() as usize, words.len())).expect("the test waits");
        let _ = receiver.recv();
    });
    let (words, count) = cached.1.recv_timeout(DEADLINE).expect("the other thread gets ready");
    assert!(count >= 1);
    let place = Addr::new(words).as_ptr::<usize>();
    // SAFETY: the owner waits; the word is mapped and writable.
    let former = unsafe { place.read() };
    let mine = heap.cached(class)[0];
    // SAFETY: as above.
    let set = |slot: usize| unsafe { place.write(slot) };
    set(mine);
    let found = verify::check();
    set(former);
    drop(resume.0);
    other.join().expect("the other thread ends");
    assert_eq!(found, Err(Fault::CachedTwice(Addr::new(mine))), "a slot in two magazines has two owners");
}

/// Where the library has member `index`, of eight bytes each, of the cage's map. The compiler may have split the map.
fn member_of_map(symbols: &str, index: u64) -> String {
    let found = symbols.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (address, name) = (words.next()?, words.nth(1)?);
        let part = name.split_once("spans3MAP")?.1.rsplit_once('.').map(|(_, part)| part);
        let address = u64::from_str_radix(address, 16).ok()?;
        match part {
            Some(part) => (part == index.to_string()).then_some(address),
            None => Some(address + 8 * index),
        }
    });
    let found: Vec<u64> = found.collect();
    assert_eq!(found.len(), 1, "one place of member {index} of the map in\n{symbols}");
    format!("{:x}", found[0])
}

fn verified(is_planted: bool) -> doors::Outcome {
    let program = doors::scratch("planted").join(format!("verify_{is_planted}"));
    let link = doors::link("gleaner");
    let mut flags = vec!["-O1", "-g", "-Wall", "-Wextra", "-Werror"];
    flags.extend(link.iter().map(String::as_str));
    flags.push("-ldl");
    doors::cc(&doors::root().join("tests/c/planted/verify.c"), &program, &flags);
    let mut command = Command::new(&program);
    if is_planted {
        let symbols = Command::new("nm").arg(doors::doors().join("libgleaner.so")).output().expect("nm runs");
        let symbols = String::from_utf8(symbols.stdout).expect("text");
        let symbols: String =
            symbols.lines().filter(|line| line.contains("spans3MAP")).map(|l| format!("{l}\n")).collect();
        command.arg(member_of_map(&symbols, 0)).arg(member_of_map(&symbols, 2));
    }
    doors::run(command.env("GLEANER_OPTIONS", "verify=1"), DEADLINE)
}

#[test]
fn a_library_names_a_fault_in_its_heap_and_only_then() {
    let outcome = verified(false);
    assert!(outcome.succeeded() && outcome.stderr.is_empty(), "{outcome}");
    let outcome = verified(true);
    assert!(outcome.aborted(), "{outcome}");
    let told = outcome.stderr.strip_prefix("gleaner: verify: after collection 1: the heap's records are wrong: Torn(");
    let rest = told.and_then(|rest| rest.split_once(')')).expect("one line with the fault");
    assert!(rest.0.chars().all(|c| c.is_ascii_hexdigit()), "{outcome}");
    assert_eq!(rest.1, "; look for writes to wild addresses, else report a defect\n", "{outcome}");
}

fn recheck(shown: &str) -> doors::Outcome {
    let program = doors::scratch("planted").join(format!("recheck_{shown}"));
    let link = doors::link("gleaner");
    let mut flags = vec!["-O1", "-g", "-Wall", "-Wextra", "-Werror"];
    flags.extend(link.iter().map(String::as_str));
    doors::cc(&doors::root().join("tests/c/planted/recheck.c"), &program, &flags);
    doors::run(Command::new(&program).arg(shown).env("GLEANER_OPTIONS", "recheck=1"), DEADLINE)
}

#[test]
fn markers_that_agree_are_let_be() {
    let outcome = recheck("both");
    assert!(outcome.succeeded() && outcome.stderr.is_empty(), "{outcome}");
}

#[test]
fn a_mark_that_the_first_marker_lost_is_named() {
    let outcome = recheck("second");
    assert!(outcome.aborted(), "{outcome}");
    assert!(outcome.stderr.contains("recheck: 0x") && outcome.stderr.contains("was not marked"), "{outcome}");
}

#[test]
fn a_mark_that_nothing_reaches_is_named() {
    let outcome = recheck("first");
    assert!(outcome.aborted(), "{outcome}");
    assert!(outcome.stderr.contains("recheck: 0x") && outcome.stderr.contains("nothing reaches it"), "{outcome}");
}
