//! Guards of values with destructors: while there is one, the destructor does not run.

use crate::{
    unsearched::unsearched,
    world::{self, alone},
};
use gleaner::{Gc, Held, StillHeld, Weak, WithDrop};
use std::{
    mem::{self, MaybeUninit},
    panic::{catch_unwind, resume_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

/// Counts how often values of one test were dropped.
#[derive(Clone, Default)]
struct Count(Arc<AtomicUsize>);

impl Count {
    fn get(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }
}

struct Value {
    number: usize,
    text: String,
    count: Count,
}

impl Value {
    fn new(number: usize, count: &Count) -> Gc<WithDrop<Value>> {
        Gc::with_drop(Value { number, text: format!("value {number}"), count: count.clone() })
    }

    fn is_whole(&self) {
        assert_eq!(self.text, format!("value {}", self.number));
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        self.is_whole();
        self.count.0.fetch_add(1, Ordering::Release);
    }
}

/// Collects until what is unreachable has been found, some rounds.
#[inline(never)]
fn collect() {
    for _ in 0..3 {
        world::clear_stack();
        assert!(gleaner::collect());
    }
}

type Guard = Held<'static, Value>;

#[test]
fn a_guard_in_memory_that_is_not_searched_keeps_its_value_from_being_dropped() {
    #[inline(never)]
    fn lay(guards: &mut [MaybeUninit<Guard>], count: &Count) {
        for (number, place) in guards.iter_mut().enumerate() {
            place.write(Gc::get(Value::new(number, count)).get().expect("it is new"));
        }
    }
    let _alone = alone();
    let count = Count::default();
    let guards = unsearched(100);
    lay(guards, &count);
    collect();
    // Nothing leads to the values, and still none is dropped: the guards count themselves.
    assert_eq!(count.get(), 0);
    for place in guards.iter_mut() {
        // SAFETY: written above; the value stays while its guard does.
        let guard = unsafe { place.assume_init_read() };
        guard.is_whole();
    }
    collect();
    assert!((90..=100).contains(&count.get()), "{} of 100 were dropped", count.get());
}

#[test]
fn a_forgotten_guard_holds_for_ever() {
    #[inline(never)]
    fn forget(count: &Count) {
        (0..100).for_each(|number| mem::forget(Value::new(number, count).get()));
    }
    let _alone = alone();
    let count = Count::default();
    forget(&count);
    collect();
    collect();
    assert_eq!(count.get(), 0);
}

#[test]
fn a_guard_of_another_thread_holds() {
    let _alone = alone();
    let count = Count::default();
    let (ready, wait_ready) = mpsc::channel();
    let (go, wait_go) = mpsc::channel::<()>();
    let thread = thread::spawn({
        let count = count.clone();
        move || {
            let values: Vec<_> = (0..100).map(|number| Value::new(number, &count)).collect();
            let guards: Vec<_> = values.iter().map(|value| value.get().expect("it is new")).collect();
            ready.send(()).unwrap();
            wait_go.recv_timeout(world::DEADLINE).unwrap_err();
            guards.iter().for_each(|guard| guard.is_whole());
        }
    });
    wait_ready.recv_timeout(world::DEADLINE).expect("the values are made");
    collect();
    assert_eq!(count.get(), 0);
    drop(go);
    thread.join().expect("its values are whole");
    collect();
    assert!(count.get() >= 90, "{} of 100 were dropped", count.get());
}

#[test]
fn a_value_is_dropped_by_hand_once_and_only_without_guards() {
    let _alone = alone();
    let count = Count::default();
    let value = Value::new(1, &count);
    let (first, second) = (value.get().unwrap(), value.get().unwrap());
    assert_eq!(value.drop_now(), Err(StillHeld));
    drop(first);
    assert_eq!(value.drop_now(), Err(StillHeld));
    second.is_whole();
    drop(second);
    assert_eq!((value.drop_now(), count.get()), (Ok(()), 1));
    assert_eq!((value.drop_now(), count.get()), (Ok(()), 1));
    assert!(value.get().is_none());
    assert_eq!(format!("{value:?}"), "(dropped)");
    collect();
    assert_eq!(count.get(), 1);
    assert_eq!(StillHeld.to_string(), "the value is still held, by a guard of WithDrop::get or its running destructor");
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

#[test]
fn a_value_prints_as_what_it_holds() {
    let _alone = alone();
    let value = Value::new(3, &Count::default());
    assert_eq!(format!("{value:?} {:?}", value.get().unwrap()), "value 3 value 3");
}

#[test]
fn guards_and_drops_of_many_threads_at_once() {
    let _alone = alone();
    let count = Count::default();
    let values: Vec<_> = (0..2000).map(|number| Value::new(number, &count)).collect();
    let dropped = AtomicUsize::new(0);
    thread::scope(|scope| {
        for start in 0..4 {
            let (values, dropped, count) = (&values, &dropped, &count);
            scope.spawn(move || {
                for index in 0..values.len() * 4 {
                    let value = values[(index * 7 + start * 500) % values.len()];
                    let held = value.get();
                    held.as_ref().inspect(|held| held.is_whole());
                    if index % 3 == start % 3 {
                        drop(held);
                        let before = count.get();
                        if value.drop_now() == Ok(()) && count.get() > before {
                            dropped.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    assert!(dropped.into_inner() > 0);
    values.iter().for_each(|value| assert_eq!(value.drop_now(), Ok(())));
    assert_eq!(count.get(), 2000, "each once");
}

#[test]
fn a_value_counts_as_dropped_when_its_destructor_is_over() {
    /// Its destructor says that it has begun, and waits until it may go on.
    struct Slow {
        begun: mpsc::Sender<()>,
        go_on: Mutex<mpsc::Receiver<()>>,
        itself: Mutex<Weak<WithDrop<Slow>>>,
        done: Count,
    }
    impl Drop for Slow {
        fn drop(&mut self) {
            let itself = self.itself.lock().unwrap().upgrade().expect("it is here");
            // Neither the thread that is at it nor another may take it for dropped.
            assert!(itself.get().is_none() && itself.drop_now() == Err(StillHeld));
            self.begun.send(()).unwrap();
            self.go_on.lock().unwrap().recv_timeout(world::DEADLINE).expect("the test goes on");
            self.done.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let _alone = alone();
    let done = Count::default();
    let ((begun, wait_begun), (go, go_on)) = (mpsc::channel(), mpsc::channel());
    let itself = Mutex::default();
    let value = Gc::with_drop(Slow { begun, go_on: Mutex::new(go_on), itself, done: done.clone() });
    *value.get().expect("it is new").itself.lock().unwrap() = Gc::downgrade(value);
    let thread = thread::spawn(move || value.drop_now());
    wait_begun.recv_timeout(world::DEADLINE).expect("the destructor begins");
    assert_eq!((value.get().is_none(), value.drop_now(), done.get()), (true, Err(StillHeld), 0));
    go.send(()).unwrap();
    assert_eq!(thread.join().expect("it does not panic"), Ok(()));
    // What the destructor did is seen, on whatever thread.
    assert_eq!((value.drop_now(), done.0.load(Ordering::Relaxed)), (Ok(()), 1));
}

#[test]
fn a_destructor_that_panics_is_over() {
    let _alone = alone();
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            resume_unwind(Box::new("in the destructor"));
        }
    }
    let value = Gc::with_drop(Panics);
    assert!(catch_unwind(|| value.drop_now()).is_err());
    assert_eq!((value.get().is_none(), value.drop_now()), (true, Ok(())));
}
