//! The lock: one holder at a time, and whoever sleeps is woken.

use super::{Model, check, join, start};
use gleaner::{
    base::model::Fault,
    os::lock::{Lock, Rank},
};
use loom::cell::UnsafeCell;

/// What the lock guards; loom watches it.
struct Guarded(UnsafeCell<u32>);

// SAFETY: loom watches every access.
unsafe impl Send for Guarded {}

fn lock() -> &'static Lock<Guarded> {
    Box::leak(Box::new(Lock::new(Rank::Os, Guarded(UnsafeCell::new(0)))))
}

fn hold(lock: &Lock<Guarded>) {
    // SAFETY: loom watches the access.
    lock.lock().0.with_mut(|value| unsafe { *value += 1 });
}

/// As the world's lock is taken: it is tried, and waited for without taking it.
fn hold_after_waiting(lock: &Lock<Guarded>) {
    loop {
        if let Some(guard) = lock.try_lock() {
            // SAFETY: loom watches the access.
            return guard.0.with_mut(|value| unsafe { *value += 1 });
        }
        lock.wait();
    }
}

fn three_threads() {
    let lock = lock();
    join([1, 2, 3].map(|tid| start(tid, || hold(lock))));
}

fn two_that_wait_without_taking() {
    let lock = lock();
    let waiting = [1, 2].map(|tid| start(tid, || hold_after_waiting(lock)));
    join(waiting.into_iter().chain([start(3, || hold(lock))]));
}

#[test]
fn one_thread_holds_a_lock_at_a_time_and_sleepers_are_woken() {
    let models = [
        Model::new("three threads and a lock", three_threads),
        Model::new("tried and waited for", two_that_wait_without_taking),
    ];
    check(&models, &["src/os/lock.rs"], &[], &[Fault::NoWake]);
}
