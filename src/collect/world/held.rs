//! Holding the world: the right to stop it, which one thread has at a time.
//!
//! A collection, a fork and a census hold it. Who holds it runs with all signals blocked: a handler that allocates could
//! want it again.
//!
//! Holds:   the lock is given back before the signals are let in.
//! Threads: any; who waits for it has its signals open, for the holder may want to stop it.

use crate::{
    base::sync::{AtomicU32, Ordering},
    os::{
        lock::{Guard, Lock, Rank},
        signal, sys,
    },
};
use core::{
    mem::ManuallyDrop,
    ops::{Deref, DerefMut},
};

/// One collection, fork or other change of the world at a time.
static WORLD: Lock<World> = Lock::new(Rank::World, World);
/// The process that all records belong to: another one means that we are in a child that forked past our handlers, or in
/// a `vfork` child. Changed while one thread runs: relaxed.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// The world's lock, held with all signals blocked; dropping it undoes both.
pub struct Held {
    guard: ManuallyDrop<Guard<'static, World>>,
    mask: signal::Set,
}

/// Takes the world's lock.
///
/// Its holder runs with all signals blocked: a handler that allocates could want the lock again. Who waits for it does
/// so with its signals open: the holder may want to stop it.
pub fn hold() -> Held {
    loop {
        if let Some(held) = try_hold() {
            return held;
        }
        WORLD.wait();
    }
}

/// As [`hold`], if nobody else has it.
pub fn try_hold() -> Option<Held> {
    let mask = signal::block_all();
    let guard = WORLD.try_lock();
    if guard.is_none() {
        signal::set_mask(mask);
    }
    guard.map(|guard| Held { guard: ManuallyDrop::new(guard), mask })
}

impl Deref for Held {
    type Target = World;
    fn deref(&self) -> &World {
        &self.guard
    }
}

impl DerefMut for Held {
    fn deref_mut(&mut self) -> &mut World {
        &mut self.guard
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: dropped once, here; the signals come back after the lock has gone.
        unsafe { ManuallyDrop::drop(&mut self.guard) };
        signal::set_mask(self.mask);
    }
}

/// What the world's lock guards: all threads' standing still.
pub struct World;

impl World {
    /// Whether the caller is the process that the engine works for, and not a `vfork` child in its memory.
    pub fn is_ours(&self) -> bool {
        is_own_process()
    }

    /// From now on the engine works for the calling process, whose only thread is the calling one.
    pub fn follow_process(&mut self) {
        PROCESS.store(sys::process_id(), Ordering::Relaxed);
    }
}

/// As [`World::is_ours`], for who asks nothing of the world.
pub fn is_own_process() -> bool {
    PROCESS.load(Ordering::Relaxed) == sys::process_id()
}
