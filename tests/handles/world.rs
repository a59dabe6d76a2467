//! What the tests have in common: a value that tells whether it is whole, and how it is made unreachable.
//!
//! The search is conservative: a stale word on the stack or in a register may keep a value. So what is to die is made on
//! a thread of its own, or in a function whose stack is overwritten, and a few survivors in a hundred are let be. What is
//! to live is looked at after its memory would have been used again.

use gleaner::{Gc, Weak};
use std::{
    hint::black_box,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

pub const DEADLINE: Duration = Duration::from_secs(60);

/// Starts the collector, and keeps other tests out until the guard goes.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: the tests keep addresses as addresses; where one does not, a root keeps the object, or nobody uses it.
    unsafe { gleaner::start().expect("the system has memory and a signal for the collector") };
    alone
}

/// A value whose words all follow from its number.
#[derive(Debug)]
pub struct Node {
    pub number: usize,
    text: String,
    words: [usize; 3],
}

impl Node {
    pub fn with(number: usize) -> Node {
        Node { number, text: format!("node {number}"), words: [number ^ 1, !number, number.rotate_left(7)] }
    }

    #[inline(never)]
    pub fn new(number: usize) -> Gc<Node> {
        Gc::new(Node::with(number))
    }

    #[track_caller]
    pub fn is(&self, number: usize) {
        assert_eq!(self.number, number);
        assert_eq!(self.words, [number ^ 1, !number, number.rotate_left(7)]);
        assert_eq!(self.text, format!("node {number}"));
    }
}

/// Overwrites the stack below the caller.
#[inline(never)]
pub fn clear_stack() {
    let mut words = [0usize; 8192];
    black_box(&mut words);
}

/// Takes the memory that is free, and fills it with other values.
#[inline(never)]
pub fn churn() {
    let others: Vec<Gc<Node>> = (0..3000).map(|index| Node::new(usize::MAX - index)).collect();
    others.iter().for_each(|other| assert!(other.number > usize::MAX / 2));
}

/// Collects, and uses again what was taken back.
#[inline(never)]
pub fn collect() {
    clear_stack();
    assert!(gleaner::collect(), "a collection");
    churn();
}

/// How many of the values have died.
#[inline(never)]
pub fn dead<T: ?Sized>(weak: &[Weak<T>]) -> usize {
    weak.iter().filter(|weak| weak.upgrade().is_none()).count()
}

/// Runs `work` on a thread of its own, whose stack and registers hold nothing of it when this returns.
#[track_caller]
pub fn elsewhere<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    let work = || {
        let result = work();
        // The C library keeps the stack for another thread, and its upper pages as they are.
        clear_stack();
        result
    };
    thread::scope(|scope| scope.spawn(work).join()).unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Nearly all of them die, in a few collections.
///
/// What was freed by hand keeps its words until it is used again, and a stale address shows them to the collector: such
/// memory is overwritten in between.
#[track_caller]
pub fn nearly_all<T: ?Sized>(weak: &[Weak<T>]) {
    let mut last = 0;
    for _ in 0..5 {
        clear_stack();
        assert!(gleaner::collect(), "a collection");
        last = dead(weak);
        if last * 10 >= weak.len() * 9 {
            return;
        }
        overwrite_what_is_free();
    }
    panic!("of {} unreachable values {last} have died", weak.len());
}

/// Takes some memory of every size, zeroed, and gives it back.
#[inline(never)]
fn overwrite_what_is_free() {
    for bytes in (16..5000).step_by(16) {
        black_box((0..64).map(|_| vec![0u8; bytes]).collect::<Vec<_>>());
    }
}

/// Makes a hundred values and lays each somewhere. They are whole as long as the places are there, and die with them.
#[track_caller]
pub fn keeps<P>(lay: impl Fn(Gc<Node>) -> P + Send, look: impl Fn(&P) -> &Node + Send) {
    let lay_and_look = move || {
        let (places, weak): (Vec<P>, Vec<Weak<Node>>) = (0..100)
            .map(|number| {
                let node = Node::new(number);
                (lay(node), Gc::downgrade(node))
            })
            .unzip();
        for _ in 0..2 {
            collect();
            places.iter().enumerate().for_each(|(number, place)| look(place).is(number));
            assert_eq!(dead(&weak), 0, "a weak handle of a value that is kept");
        }
        weak
    };
    let _alone = alone();
    nearly_all(&elsewhere(lay_and_look));
}

/// Goes on with `step` until it is done; not for ever.
#[track_caller]
pub fn until(what: &str, mut step: impl FnMut() -> bool) {
    let start = Instant::now();
    while !step() {
        assert!(start.elapsed() < DEADLINE, "{what} did not happen in {DEADLINE:?}");
    }
}
