//! What the engine offers to a door that speaks for another collector: kinds of every sort, links, orders of finalizers,
//! hooks, batches, disclaiming.
//!
//! The engine is linked into this test and collects here, with both judges on. Rust's own memory is no root, so whatever a
//! test keeps lies in a [`Kept`] array, which is one; what it only remembers is disguised.

use gleaner::{
    base::addr::{Addr, Range},
    collect::{
        self, Cause,
        allocate::{self, Freed},
        census,
        disclaim::{self, Sight},
        finalize::{Finalizer, Order, Runner},
        hooks::{self, Moment},
        links::Moved,
        mark, settings,
        start::{self, Door},
        tables::Tables,
        toggle,
        trace::{self, Tracer},
        weak::WeakKind,
    },
    heap::{
        Request, fast, gate,
        kind::{Design, Kind, Words},
        mutator, resolve,
    },
};
use std::{
    ffi::{c_int, c_void},
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

const WORD: usize = size_of::<usize>();
/// So many objects a trial; a few may be kept by what is left on stacks.
const MANY: usize = 2000;
const FEW: usize = MANY / 20;

/// Tests set hooks and count what dies: one at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let guard = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    static STARTED: std::sync::Once = std::sync::Once::new();
    STARTED.call_once(|| {
        settings::set_verify(true);
        settings::set_recheck(true);
        // SAFETY: what these tests keep lies on stacks, or in objects that are roots.
        assert!(unsafe { start::start(Door::Library) }, "the heap cannot be set up");
    });
    guard
}

fn collect() {
    assert!(collect::collect(Cause::Forced), "no collection ran");
}

fn object(bytes: usize, kind: Kind) -> Addr {
    allocate::allocate(&Request::new(bytes, kind)).expect("memory for an object")
}

fn free(object: Addr) {
    assert_eq!(allocate::free(object, 0), Freed::Done);
}

fn set(object: Addr, word: usize, value: usize) {
    // SAFETY: an object of this test, of more words than that.
    unsafe { (object + word * WORD).as_ptr::<usize>().write_volatile(value) };
}

fn get(object: Addr, word: usize) -> usize {
    // SAFETY: as above.
    unsafe { (object + word * WORD).as_ptr::<usize>().read_volatile() }
}

fn tables<R>(work: impl FnOnce(&mut Tables) -> R) -> R {
    allocate::with_tables(work).expect("outside of any gate")
}

/// Runs on a stack that ends with it: what it leaves there is found by no collection.
fn elsewhere<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    std::thread::scope(|scope| scope.spawn(work).join()).unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// An array of words that is a root until it is dropped.
struct Kept(Addr);

impl Kept {
    fn new(words: usize) -> Kept {
        Kept(object(words * WORD, Kind::UNCOLLECTABLE))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        free(self.0);
    }
}

/// The addresses of objects, which keeps none of them.
struct Remembered(Vec<usize>);

impl Remembered {
    fn new(make: impl Fn(usize) -> Addr + Sync) -> Remembered {
        elsewhere(|| Remembered((0..MANY).map(|index| !make(index).get()).collect()))
    }

    fn at(&self, index: usize) -> Addr {
        Addr::new(!self.0[index])
    }

    fn living(&self) -> usize {
        (0..MANY).filter(|&index| resolve::object_at(self.at(index)).is_some()).count()
    }
}

fn made(words: Words, is_zeroed: bool, is_collected: bool) -> Kind {
    allocate::make_kind(Design { words, is_zeroed, is_collected }).expect("a kind is left")
}

fn traced_by(procedure: trace::Procedure) -> Words {
    Words::Traced(procedure as *const () as usize)
}

/// Shows the first two words only.
unsafe extern "C" fn first_two(object: *mut c_void, _bytes: usize, tracer: *mut Tracer<'_>) {
    // SAFETY: an object of at least two words, and the tracer of this call.
    unsafe { (*tracer).range(Range::sized(Addr::of(object), 2 * WORD)) };
}

/// Shows its first word by the tracer that it has not been handed.
unsafe extern "C" fn past_the_call(object: *mut c_void, _bytes: usize, _tracer: *mut Tracer<'_>) {
    // SAFETY: called by the marker, and an object of at least a word.
    let tracer = unsafe { trace::running() }.expect("a procedure runs");
    // SAFETY: as above.
    tracer.word(unsafe { object.cast::<usize>().read() });
}

/// Objects of `kind` in a chain of two: how many of those that word `word` leads to live on.
fn kept_by_word(kind: Kind, bytes: usize, word: usize) -> usize {
    let kept = Kept::new(MANY);
    let children = Remembered::new(|index| {
        let (parent, child) = (object(bytes, kind), object(32, Kind::SCANNED));
        set(parent, word, child.get());
        set(kept.0, index, parent.get());
        child
    });
    collect();
    children.living()
}

#[test]
fn kinds_are_scanned_as_they_were_made() {
    let _alone = alone();
    for bytes in [16, 40, 512, 600, 9000] {
        let last = bytes / WORD - 1;
        let plain = made(Words::Any, true, true);
        assert_eq!(kept_by_word(plain, bytes, last), MANY, "plain words, {bytes} bytes");
        assert!(kept_by_word(made(Words::None, true, true), bytes, 0) <= FEW, "no pointers, {bytes} bytes");
        let traced = made(traced_by(first_two), true, true);
        assert_eq!(kept_by_word(traced, bytes, 1), MANY, "traced, {bytes} bytes");
        if last > 1 {
            assert!(kept_by_word(traced, bytes, last) <= FEW, "not traced, {bytes} bytes");
        }
    }
    let past = made(traced_by(past_the_call), true, true);
    assert_eq!(kept_by_word(past, 64, 0), MANY);
    assert!(kept_by_word(past, 64, 1) <= FEW);
}

#[test]
fn what_is_uncollectable_is_a_root_as_it_was_made() {
    let _alone = alone();
    for (words, is_kept) in [(Words::Any, true), (Words::None, false), (traced_by(first_two), true)] {
        let kind = made(words, true, false);
        let parents = Remembered::new(|_| object(48, kind));
        let children = Remembered::new(|index| {
            let child = object(32, Kind::SCANNED);
            set(parents.at(index), 1, child.get());
            child
        });
        let unseen = Remembered::new(|index| {
            let child = object(32, Kind::SCANNED);
            set(parents.at(index), 4, child.get());
            child
        });
        collect();
        assert_eq!(parents.living(), MANY, "{words:?}");
        let expect = |living: usize, is_kept: bool| {
            assert!(if is_kept { living == MANY } else { living <= FEW }, "{words:?}: {living}")
        };
        expect(children.living(), is_kept);
        expect(unseen.living(), words == Words::Any);
        (0..MANY).for_each(|index| free(parents.at(index)));
    }
}

#[test]
fn only_kinds_that_promise_zero_are_zero_again() {
    let _alone = alone();
    for (words, is_zeroed) in [(Words::Any, true), (Words::None, true), (traced_by(first_two), false)] {
        let kind = made(words, is_zeroed, true);
        for _ in 0..2 {
            let objects = Remembered::new(|_| {
                let object = object(64, kind);
                (0..8).for_each(|word| assert_eq!(get(object, word), 0));
                (0..8).for_each(|word| set(object, word, usize::MAX));
                object
            });
            (0..MANY / 2).for_each(|index| free(objects.at(index)));
            collect();
        }
    }
}

/// What became of links to dead objects, to live ones, and in dead objects.
#[test]
fn links_are_cleared_when_their_objects_are_gone() {
    let _alone = alone();
    for kind in [WeakKind::Short, WeakKind::Long] {
        let (kept, links) = (Kept::new(MANY), Kept::new(2 * MANY));
        let link = |index: usize| links.0 + index * WORD;
        let targets = Remembered::new(|index| {
            let object = object(32, Kind::SCANNED);
            // A root that holds where an object ends keeps that as well: so no neighbour of one that dies.
            if index < MANY / 2 {
                set(kept.0, index, object.get());
            }
            set(links.0, index, !object.get());
            tables(|tables| tables.links.register(kind, link(index), object)).expect("memory for a link");
            object
        });
        let before = tables(|tables| tables.links.len());
        collect();
        let cleared = (0..MANY).filter(|&index| get(links.0, index) == 0).count();
        assert_eq!(cleared, MANY - targets.living(), "the links of what is gone, and no other");
        assert!(cleared >= MANY / 2 - FEW, "{cleared}");
        assert!((0..MANY / 2).all(|index| get(links.0, index) == !get(kept.0, index)));
        assert_eq!(tables(|tables| tables.links.len()), before - cleared);
        // One moves, and is cleared where it is now.
        let moved = tables(|tables| tables.links.relocate(kind, link(0), link(MANY)));
        assert_eq!(moved, Moved::Done);
        set(links.0, MANY, 1);
        set(kept.0, 0, 0);
        collect();
        if resolve::object_at(targets.at(0)).is_none() {
            assert_eq!((get(links.0, MANY), get(links.0, 0)), (0, !targets.at(0).get()));
        }
        for index in 0..=MANY {
            tables(|tables| tables.links.unregister(kind, link(index)));
        }
        assert_eq!(tables(|tables| tables.links.len()), 0);
        // Links in objects that die are forgotten, and what comes after them is not written to.
        let kept_target = object(32, Kind::SCANNED);
        set(kept.0, 1, kept_target.get());
        Remembered::new(|_| {
            let place = object(32, Kind::POINTER_FREE);
            tables(|tables| tables.links.register(kind, place, kept_target)).expect("memory for a link");
            place
        });
        collect();
        assert!(tables(|tables| tables.links.len()) <= FEW);
        set(kept.0, 1, 0);
        let fresh = Remembered::new(|_| {
            let object = object(32, Kind::POINTER_FREE);
            set(object, 0, 7);
            object
        });
        let _ = (fresh, collect());
        tables(|tables| tables.links = gleaner::collect::links::Links::new());
    }
}

/// Sets finalizers of an order on pairs, the first of which points to the second and itself as it says: how many of the
/// first and of the second are queued by the first collection.
fn queued(order: Order, points_to_second: bool, points_to_itself: bool) -> (usize, usize) {
    queued_for(Runner::Libgc, order, points_to_second, points_to_itself)
}

fn queued_for(runner: Runner, order: Order, points_to_second: bool, points_to_itself: bool) -> (usize, usize) {
    let set_on = |object: Addr, data: usize| {
        let finalizer = Finalizer { procedure: 1, data, order, runner };
        allocate::set_finalizer(object, finalizer).expect("memory for a finalizer");
    };
    Remembered::new(|_| {
        let (first, second) = (object(32, Kind::SCANNED), object(32, Kind::SCANNED));
        if points_to_second {
            set(first, 0, second.get());
        }
        if points_to_itself {
            set(first, 1, first.get());
        }
        set_on(first, 1);
        set_on(second, 2);
        first
    });
    collect();
    let mut count = [0; 3];
    while let Some(due) = tables(|tables| tables.finalizers.take_due(runner)) {
        count[due.finalizer.data] += 1;
    }
    // What is left, on a cycle or held up.
    tables(|tables| tables.finalizers.queue_all(runner));
    while tables(|tables| tables.finalizers.take_due(runner)).is_some() {}
    collect();
    (count[1], count[2])
}

#[test]
fn finalizers_are_queued_in_their_order() {
    let _alone = alone();
    let all = MANY - FEW..=MANY;
    let (first, second) = queued(Order::Strict, true, false);
    assert!(all.contains(&first) && second <= FEW, "{first} {second}");
    let (first, second) = queued(Order::Strict, false, true);
    assert!(first == 0 && all.contains(&second), "itself counts: {first} {second}");
    let (first, second) = queued(Order::Ordered, true, true);
    assert!(all.contains(&first) && second <= FEW, "itself does not count: {first} {second}");
    let (first, second) = queued(Order::Unordered, true, true);
    assert!(all.contains(&first) && all.contains(&second), "{first} {second}");
    let (first, second) = queued_for(Runner::Header, Order::Unreachable, true, true);
    assert!(all.contains(&first) && all.contains(&second), "{first} {second}");
    let (first, second) = queued(Order::Unreachable, true, false);
    assert!(all.contains(&first) && second <= FEW, "waits by libgc's names: {first} {second}");
    let (first, second) = queued(Order::Unreachable, false, true);
    assert!(first == 0 && all.contains(&second), "and for itself: {first} {second}");
    tables(|tables| tables.finalizers.order_unreachable(true));
    let (first, second) = queued_for(Runner::Header, Order::Unreachable, true, false);
    tables(|tables| tables.finalizers.order_unreachable(false));
    assert!(all.contains(&first) && second <= FEW, "{first} {second}");
}

/// The links of a kind that are still set while their objects wait for finalizers.
fn set_beside_finalizers(kind: WeakKind) -> usize {
    let links = Kept::new(MANY);
    Remembered::new(|index| {
        let object = object(32, Kind::SCANNED);
        let link = links.0 + index * WORD;
        set(links.0, index, !object.get());
        tables(|tables| tables.links.register(kind, link, object)).expect("memory for a link");
        let finalizer = Finalizer { procedure: 1, data: 0, order: Order::Unordered, runner: Runner::Libgc };
        allocate::set_finalizer(object, finalizer).expect("memory for a finalizer");
        object
    });
    collect();
    let count = (0..MANY).filter(|&index| get(links.0, index) != 0).count();
    while tables(|tables| tables.finalizers.take_due(Runner::Libgc)).is_some() {}
    collect();
    tables(|tables| tables.links = gleaner::collect::links::Links::new());
    count
}

#[test]
fn short_links_are_cleared_before_finalizers_and_long_ones_after() {
    let _alone = alone();
    assert!(set_beside_finalizers(WeakKind::Short) <= FEW);
    assert_eq!(set_beside_finalizers(WeakKind::Long), MANY);
}

static STARTS: AtomicUsize = AtomicUsize::new(0);
static PUSHES: AtomicUsize = AtomicUsize::new(0);
/// Where the push hook finds what it reports: three arrays of disguised words.
static PUSHED: AtomicUsize = AtomicUsize::new(0);
static MOMENTS: Mutex<Vec<Moment>> = Mutex::new(Vec::new());

fn report_pushed() {
    PUSHES.fetch_add(1, Ordering::Relaxed);
    let pushed = !PUSHED.load(Ordering::Relaxed);
    if pushed == 0 {
        return;
    }
    let pushed = Addr::new(pushed);
    for index in 0..MANY {
        // SAFETY: called by the push hook.
        let tracer = unsafe { trace::running() }.expect("the push hook runs");
        let word = !get(pushed, index);
        match index % 4 {
            0 => tracer.word(word),
            1 => tracer.range(Range::sized(Addr::of(&raw const word), WORD)),
            2 => tracer.stack(Range::sized(Addr::of(&raw const word), WORD)),
            _ => {
                tracer.keep(Addr::new(word));
                assert!(mark::is_marked(Addr::new(word)));
            }
        }
    }
}

#[test]
fn what_the_push_hook_reports_is_kept_and_only_scanned_where_that_was_asked() {
    let _alone = alone();
    let pushed = Kept::new(MANY);
    let objects = Remembered::new(|index| {
        let object = object(32, Kind::SCANNED);
        set(pushed.0, index, !object.get());
        object
    });
    let children = Remembered::new(|index| {
        let child = object(48, Kind::SCANNED);
        set(objects.at(index), 0, child.get());
        child
    });
    PUSHED.store(!pushed.0.get(), Ordering::Relaxed);
    hooks::START.set(Some(|| _ = STARTS.fetch_add(1, Ordering::Relaxed)));
    hooks::PUSH.set(Some(report_pushed));
    hooks::set_moment(Some(|moment| MOMENTS.lock().unwrap().push(moment)));
    collect();
    hooks::START.set(None);
    hooks::set_moment(None);
    assert_eq!(objects.living(), MANY);
    let kept_alone =
        (0..MANY).filter(|index| index % 4 == 3 && resolve::object_at(children.at(*index)).is_some()).count();
    let scanned = (0..MANY).filter(|index| index % 4 != 3 && resolve::object_at(children.at(*index)).is_some()).count();
    assert!(kept_alone <= FEW, "{kept_alone} were scanned");
    assert_eq!(scanned, MANY / 4 * 3);
    assert_eq!(STARTS.load(Ordering::Relaxed), 1);
    // Once for each marker that judges.
    assert_eq!(PUSHES.load(Ordering::Relaxed), 2);
    use Moment::*;
    let order = [
        Started,
        WorldStops,
        WorldStopped,
        MarkStarts,
        MarkEnded,
        WorldResumes,
        WorldResumed,
        SweepStarts,
        SweepEnded,
        Ended,
    ];
    assert_eq!(*MOMENTS.lock().unwrap(), order);
    PUSHED.store(!0, Ordering::Relaxed);
    hooks::PUSH.set(None);
    collect();
    assert!(objects.living() <= FEW);
}

#[test]
fn a_chain_is_whole_and_zero_elsewhere() {
    let _alone = alone();
    // So that what is handed out once is not taken back.
    collect::disable();
    for (kind, bytes) in [(Kind::SCANNED, 16), (Kind::SCANNED, 48), (Kind::POINTER_FREE, 32), (Kind::SCANNED, 300_000)]
    {
        let chains = Kept::new(1);
        let mut handed_out = std::collections::HashSet::new();
        // The slots are to have been used before, where that is no matter to what they promise.
        let used: Vec<Addr> = (0..if bytes < 4096 { MANY } else { 0 }).map(|_| object(bytes, kind)).collect();
        used.iter().for_each(|&used| (0..bytes / WORD).for_each(|word| set(used, word, usize::MAX)));
        used.into_iter().for_each(free);
        for round in 0..200 {
            let count_max = round % 257 + 1;
            let first = chains.0.as_ptr::<usize>();
            // SAFETY: a word of an object of ours.
            let count =
                unsafe { allocate::allocate_chain(&Request::new(bytes, kind), count_max, first) }.expect("memory");
            let (mut found, mut at) = (0, get(chains.0, 0));
            while at != 0 {
                let slot = resolve::object_at(Addr::new(at)).expect("an object in use");
                assert!(
                    slot.start().get() == at && slot.bytes() >= bytes && handed_out.insert(!at),
                    "handed out twice"
                );
                if kind == Kind::SCANNED {
                    assert!((1..bytes.min(4096) / WORD).all(|word| get(Addr::new(at), word) == 0));
                }
                found += 1;
                at = get(Addr::new(at), 0);
            }
            assert!(found == count && 1 <= count && count <= count_max, "{found} of {count}, at most {count_max}");
        }
        assert!(handed_out.len() >= 200);
    }
    collect::enable();
}

fn is_alive(object: Addr) -> bool {
    !disclaim::is_any_dead() || tables(|tables| tables.dead.is_alive(object))
}

static SHOWN: AtomicUsize = AtomicUsize::new(0);
/// What the procedure answers.
static ANSWER: AtomicUsize = AtomicUsize::new(0);

/// The object's second word leads to another object, which is to be intact, and dead as well.
unsafe extern "C" fn disclaimed(object: *mut c_void) -> c_int {
    let object = Addr::of(object);
    let other = Addr::new(get(object, 1));
    assert!(!is_alive(object));
    assert!(get(other, 0) == 42 && resolve::object_at(other).is_some());
    SHOWN.fetch_add(1, Ordering::Relaxed);
    ANSWER.load(Ordering::Relaxed) as c_int
}

fn show() -> usize {
    // SAFETY: the procedure takes an object.
    disclaim::show(|procedure, object| unsafe { procedure(object.as_ptr()) != 0 })
}

#[test]
fn dead_objects_are_shown_with_all_they_lead_to_and_kept_if_that_is_the_answer() {
    let _alone = alone();
    let kind = made(Words::Any, true, true);
    disclaim::set(kind, Some(disclaimed), Sight::Object);
    let kept = Kept::new(1);
    let objects = Remembered::new(|index| {
        let (shown, other) = (object(32, kind), object(32, Kind::SCANNED));
        set(other, 0, 42);
        set(shown, 1, other.get());
        if index == 0 {
            set(kept.0, 0, shown.get());
        }
        shown
    });
    for answer in [1, 0] {
        ANSWER.store(answer, Ordering::Relaxed);
        SHOWN.store(0, Ordering::Relaxed);
        collect();
        assert_eq!(objects.living(), MANY, "they wait");
        collect();
        let freed = elsewhere(show);
        assert!((MANY - FEW..MANY).contains(&SHOWN.load(Ordering::Relaxed)), "each once, and not the one that is kept");
        assert_eq!(freed, if answer == 0 { SHOWN.load(Ordering::Relaxed) } else { 0 });
        assert!(resolve::object_at(objects.at(0)).is_some());
    }
    // One that waits is asked for, and stays.
    set(kept.0, 0, 0);
    collect();
    let last = objects.at(0);
    if disclaim::are_waiting() {
        assert!(!is_alive(last));
        assert!(tables(|tables| tables.dead.keep(last)));
        assert!(is_alive(last) && show() == 0);
    }
    disclaim::set(kind, None, Sight::Object);
}

#[test]
fn dead_objects_are_shown_before_what_they_lead_to_where_that_is_asked_for() {
    let _alone = alone();
    let kind = made(Words::Any, true, true);
    disclaim::set(kind, Some(disclaimed), Sight::ParentsFirst);
    let other = object(32, Kind::SCANNED);
    set(other, 0, 42);
    Remembered::new(|_| {
        let (parent, child) = (object(32, kind), object(32, kind));
        [parent, child].into_iter().for_each(|object| set(object, 0, 42));
        set(parent, 1, child.get());
        set(child, 1, other.get());
        child
    });
    ANSWER.store(0, Ordering::Relaxed);
    for round in ["parents", "children"] {
        SHOWN.store(0, Ordering::Relaxed);
        collect();
        elsewhere(show);
        assert!((MANY - FEW..=MANY).contains(&SHOWN.load(Ordering::Relaxed)), "{round}: {SHOWN:?}");
    }
    disclaim::set(kind, None, Sight::Object);
}

/// The object's first word is what the callback answers.
unsafe extern "C" fn toggled(object: *mut c_void) -> c_int {
    get(Addr::of(object), 0) as c_int
}

#[test]
fn toggle_references_keep_what_the_callback_calls_strong() {
    let _alone = alone();
    toggle::set(Some(toggled));
    for (answer, is_kept) in [(toggle::STRONG, true), (toggle::WEAK, false), (toggle::DROP, false)] {
        let objects = Remembered::new(|_| {
            let (object, child) = (object(32, Kind::SCANNED), object(48, Kind::SCANNED));
            set(object, 0, answer as usize);
            set(object, 1, child.get());
            tables(|tables| tables.toggles.add(object, true)).expect("memory for a reference");
            object
        });
        collect();
        let living = objects.living();
        assert!(if is_kept { living == MANY } else { living <= FEW }, "{answer}: {living}");
        let left = tables(|tables| tables.toggles.len());
        assert!(
            if answer == toggle::DROP { left == 0 } else { left == living },
            "{answer}: {left} of {living} are left"
        );
        if is_kept {
            (0..MANY).for_each(|index| set(objects.at(index), 0, toggle::DROP as usize));
            collect();
        } else {
            tables(|tables| tables.toggles = toggle::Toggles::new());
        }
    }
    toggle::set(None);
}

#[test]
fn what_is_in_use_is_enumerated_and_what_magazines_hold_is_not() {
    let _alone = alone();
    let kept = Kept::new(MANY);
    let objects = Remembered::new(|index| {
        let object = object(80, Kind::SCANNED);
        if index < MANY / 2 {
            set(kept.0, index, object.get());
        }
        object
    });
    collect();
    (0..10).for_each(|index| free(objects.at(index)));
    let mut found = std::collections::HashSet::new();
    let inside = gate::enter(mutator::register().expect("a record")).expect("outside of the gate");
    // It allocates, but from Rust's heap.
    assert!(census::for_each_object(|slot| assert!(found.insert(slot.start().get()), "twice")));
    drop(inside);
    assert!((10..MANY / 2).all(|index| found.contains(&objects.at(index).get())));
    assert!((0..10).all(|index| !found.contains(&objects.at(index).get())));
    assert!((MANY / 2..MANY).filter(|&index| found.contains(&objects.at(index).get())).count() <= FEW);
}

#[test]
fn the_fast_paths_serve_kinds_that_were_made() {
    let _alone = alone();
    let kind = made(Words::Any, true, true);
    let first = object(32, kind);
    let popped = fast::pop(32, kind);
    assert!(!popped.is_null());
    let slot = resolve::object_at(Addr::of(popped)).expect("an object");
    assert_eq!(slot.class(), resolve::object_at(first).expect("an object").class());
}

/// What an object's finalizer, weak cell or pin says after it has been freed by hand: nothing, it is gone.
fn is_detached(object: Addr) -> bool {
    tables(|tables| tables.finalizers.get(object).is_none() && tables.pins.get(object).is_none())
}

#[test]
fn a_free_looks_for_what_is_attached_where_something_is_and_nowhere_else() {
    let _alone = alone();
    let kind = made(Words::Any, true, true);
    let kept = Kept::new(4);
    let fresh = |index: usize, bytes: usize| {
        let object = object(bytes, kind);
        set(kept.0, index, object.get());
        object
    };
    // Of other classes, and so in other units.
    let (finalized, weak, pinned, plain) = (fresh(0, 32), fresh(1, 64), fresh(2, 1024), fresh(3, 128));
    let finalizer = Finalizer { procedure: 1, data: 0, order: Order::Unordered, runner: Runner::Libgc };
    allocate::set_finalizer(finalized, finalizer).expect("memory for a finalizer");
    let cell = allocate::attach(weak, |tables| Ok(tables.weak.register(weak, WeakKind::Short)?)).expect("a cell");
    allocate::attach(pinned, |tables| Ok(tables.pins.insert(pinned, 1).map(|_| ())?)).expect("a pin");
    for _ in 0..3 {
        assert!([finalized, weak, pinned].into_iter().all(fast::may_be_attached));
        assert!(!fast::may_be_attached(plain), "every free takes the slow path");
        // A collection forgets where something is attached, and finds it again.
        collect();
    }
    // SAFETY: the object is given up here, or not.
    assert!(!unsafe { fast::push(finalized) }, "the fast path has not looked");
    free(finalized);
    free(weak);
    free(pinned);
    assert!(is_detached(finalized) && is_detached(pinned) && cell.get() == 0);
    assert!(tables(|tables| tables.weak.unregister(Addr::of(cell).get())), "the cell was in use");
    for index in 0..4 {
        set(kept.0, index, 0);
    }
    collect();
    assert!(![finalized, weak, pinned, plain].into_iter().any(fast::may_be_attached), "a note stays for ever");
}
