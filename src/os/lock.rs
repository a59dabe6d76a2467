//! A lock of four bytes that sleeps in the kernel, and knows its place in the lock order.
//!
//! The order is one list, [`Rank`]: a thread takes locks downward only. Debug builds keep the ranks a thread holds in
//! its TLS and stop at the first lock taken out of order, so an order that could deadlock is found by the first test
//! that walks it, not by the first process that hangs.
//!
//! States: 0 free, 1 held, 2 held and somebody sleeps.

use super::sys;
#[cfg(debug_assertions)]
use super::tls;
use crate::base::sync::{AtomicU32, Ordering};
use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};

/// The lock order: a thread that holds one rank takes only later ones. The loader's own lock comes before all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Rank {
    /// One collection, fork or change of the set of threads at a time.
    World = 0,
    /// Finalizers, weak cells, ephemerons, roots, pins.
    Tables = 1,
    /// The list of records of threads.
    Threads = 2,
    /// Events that wait for their listener.
    Events = 3,
    /// A class's list of blocks with room.
    Centre = 4,
    /// Units.
    Cage = 5,
    /// What was mapped from the system.
    Os = 6,
    /// Outside the order, and not checked: a lock that threads without thread-local storage take. Who holds it takes no
    /// other, but `Os` where no such thread runs.
    Unranked = 63,
}

/// A value behind a lock.
#[repr(C)]
pub struct Lock<T> {
    state: AtomicU32,
    #[cfg(debug_assertions)]
    rank: Rank,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached only through a guard, and one guard exists at a time.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    /// A free lock.
    pub const fn new(rank: Rank, value: T) -> Self {
        #[cfg(not(debug_assertions))]
        let _ = rank;
        Lock {
            state: AtomicU32::new(0),
            #[cfg(debug_assertions)]
            rank,
            value: UnsafeCell::new(value),
        }
    }

    /// Takes the lock, sleeping while another thread has it.
    #[inline]
    pub fn lock(&self) -> Guard<'_, T> {
        self.note_taking();
        // Acquire: pairs with the Release of `unlock`, so the last holder's writes are seen.
        if self.state.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
            self.lock_slowly();
        }
        Guard { lock: self }
    }

    /// Takes the lock if it is free.
    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        self.state.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).ok()?;
        self.note_taking();
        Some(Guard { lock: self })
    }

    /// Sleeps until the lock may be free, without taking it.
    pub fn wait(&self) {
        if self.state.compare_exchange(1, 2, Ordering::Relaxed, Ordering::Relaxed) != Err(0) {
            sys::futex_wait(&self.state, 2, None);
        }
    }

    #[cold]
    fn lock_slowly(&self) {
        // Acquire: as in `lock`.
        while self.state.swap(2, Ordering::Acquire) != 0 {
            sys::futex_wait(&self.state, 2, None);
        }
    }

    /// Gives the lock free without a guard: for a child process whose other threads are gone.
    ///
    /// # Safety
    /// Nobody else can hold a guard of this lock or wait for it.
    pub unsafe fn reset(&self) {
        // Most are free, and what is not written need not be copied for the child.
        if self.state.load(Ordering::Relaxed) != 0 {
            self.state.store(0, Ordering::Relaxed);
        }
    }

    fn unlock(&self) {
        self.note_giving();
        // Release: pairs with the Acquire of whoever takes the lock next.
        if self.state.swap(0, Ordering::Release) == 2 {
            // All of them: some only wait, and would not pass the wake-up on.
            sys::futex_wake(&self.state, i32::MAX as u32);
        }
    }

    #[inline(always)]
    fn note_taking(&self) {
        #[cfg(debug_assertions)]
        if self.rank != Rank::Unranked {
            let held = tls::ranks();
            let bit = 1u64 << self.rank as u8;
            if held >= bit {
                crate::fatal!("lock order: took {:?} while holding ranks {held:#b}", self.rank);
            }
            tls::set_ranks(held | bit);
        }
    }

    #[inline(always)]
    fn note_giving(&self) {
        #[cfg(debug_assertions)]
        if self.rank != Rank::Unranked {
            tls::set_ranks(tls::ranks() & !(1u64 << self.rank as u8));
        }
    }
}

/// The right to use a locked value; dropping it gives the lock free.
pub struct Guard<'a, T> {
    lock: &'a Lock<T>,
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard is the proof that this thread holds the lock.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard is the proof that this thread holds the lock, and it is borrowed mutably.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.unlock();
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::{sync::Arc, thread, vec::Vec};

    #[test]
    fn counts_of_many_threads_add_up() {
        let lock = Arc::new(Lock::new(Rank::Os, 0u64));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let lock = lock.clone();
                thread::spawn(move || (0..50_000).for_each(|_| *lock.lock() += 1))
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(*lock.lock(), 200_000);
    }
}
