//! Threads that have ended: their records are given up.
//!
//! A thread does not say that it ends; whoever looks finds that its kernel id is gone. A collector looks for those that do
//! not answer, and a thread that begins, for those that ended before it: a program whose threads come and go may run for
//! long without a collection.
//!
//! A process in our memory that is no thread of ours may have a record, too, and looks as if it had ended: beside one, none
//! is given up.
//!
//! Threads: the collecting thread, or one that holds the world.

use super::{
    roots,
    world::{self, sharers},
};
use crate::{
    base::sync::Ordering,
    heap::{
        gate,
        mutator::{self, Mutator},
        pressure, refill,
    },
    os::{memcheck, thread},
};

/// Gives a record up whose thread has ended: its magazines are returned, its control block is remembered, because the
/// result of a thread that nobody has joined yet is still there. The world is stopping, with the gates closed.
pub(super) fn retire_if_ended(record: &Mutator) -> bool {
    let tid = record.tid.load(Ordering::Relaxed);
    if tid == 0 || !thread::has_ended(tid) || sharers::any().is_some() {
        return false;
    }
    record.inside.store(0, Ordering::Relaxed);
    let tp = record.thread_pointer.load(Ordering::Relaxed);
    roots::remember_control_block(tp);
    // SAFETY: the thread is gone and the gates are closed, so the record is ours.
    unsafe { refill::abandon(record) };
    record.release();
    true
}

/// A thread that got the kernel's id of one before it got that one's record, and nobody has seen the other end.
pub(super) fn remember_former_threads() {
    for record in mutator::all() {
        // Relaxed: the world is stopped.
        roots::remember_control_block(record.former_thread_pointer.swap(0, Ordering::Relaxed));
    }
}

/// So many records a thread that begins looks at: those of the latest threads come first.
const LOOKED_AT_MAX: usize = 64;

/// A thread has begun, whose record is `myself`: gives up records of threads that have ended. A program whose threads
/// come and go may run for long without a collection, and would have a record for each, with what that caches.
pub(super) fn retire_ended(myself: &Mutator) {
    let alive = mutator::count_alive();
    let Some(count) = thread::count().filter(|&count| count < alive) else { return };
    if sharers::any().is_some() {
        return;
    }
    // Whoever has the world now finds them as well. A `vfork` child would find no thread of its parent's.
    let Some(_world) = world::try_hold().filter(|world| world.is_ours()) else { return };
    let _unchecked = memcheck::unchecked();
    // A thread that ended in the middle of a slow path is left to a collection.
    let looked_at = world::others(myself).take(LOOKED_AT_MAX).filter(|record| gate::is_outside(record));
    let ended = looked_at.filter(|record| thread::send(record.tid.load(Ordering::Relaxed), 0) == thread::Sent::Gone);
    for record in ended.take(alive - count) {
        roots::remember_control_block(record.thread_pointer.load(Ordering::Relaxed));
        let cached_bytes = mutator::with_owners_fixed(|| retire_if_gone(record));
        pressure::note_freed(myself, cached_bytes);
    }
}

/// Gives a record up, if its thread is gone: how many bytes it had cached. The caller has the world, and the owners of
/// records are fixed.
fn retire_if_gone(record: &Mutator) -> usize {
    // Asked again: meanwhile a new thread may have got the same id, and the record by it.
    if thread::send(record.tid.load(Ordering::Relaxed), 0) != thread::Sent::Gone {
        return 0;
    }
    let mut cached_bytes = 0;
    record.count_cached(|class, count| cached_bytes += count * class.shape().slot_bytes as usize);
    // SAFETY: the thread is gone, nobody gets the record, and who gives records up has the world, as we do.
    unsafe { refill::abandon(record) };
    record.release();
    cached_bytes
}

/// A thread that ended in a safe region, past libc, still looks as if it stood there. None ends in a call: what could make
/// it end there is a handler, which is either announced and has left the call, or makes calls no regions.
pub(super) fn retire_ended_in_regions(myself: &Mutator) {
    retire_gone(world::others(myself).filter(|record| gate::is_in_region(record)));
}

/// Gives up those of some records whose threads are gone. As for [`retire_if_ended`].
pub(super) fn retire_gone(records: impl Iterator<Item = &'static Mutator>) {
    for record in records {
        if thread::send(record.tid.load(Ordering::Relaxed), 0) == thread::Sent::Gone {
            retire_if_ended(record);
        }
    }
}
