//! Surplus: pages that nobody uses go back to the system, a little at a time, by whoever comes by.
//!
//! There is no thread and no timer. Every slow path that is over looks whether more than a few units are idle, one load,
//! and if the time has come gives some of them back, outside all locks.
//!
//! ```text
//!   idle units   ______/‾‾‾‾\____/‾‾‾‾‾‾‾‾‾‾‾‾\_______
//!   ticks        |     |     |     |     |     |     |
//!   low water      0     0     0     0    (4)    (1)          what a whole tick has done without is surplus in the next
//! ```
//!
//! *What stays.* Some units for ever; and as many as a program has said that it will use ([`keep`]), for it will.
//!
//! *How much.* An eighth of the surplus every 5 ms, within 4 and 16 MiB: a look costs one `madvise` as a rule, and a
//! gigabyte is gone in less than a second. A program that frees and allocates again at once has no low water, and keeps
//! its pages.
//!
//! *Who comes by.* A program that goes on with little work may never leave its magazines. So an allocation, or a large
//! free, that took the slow path beside many idle units has every free take it too (*watched*); and who flushes while it
//! frees a lot empties all its magazines once a turn, so that its next allocations take the slow path. The fast path pays nothing, for it has to
//! load that word anyway. A watched free costs some tens of nanoseconds more, so there are at most `WATCHED_FREES_MAX` of
//! them in a turn. When they are used up, a program that flushes or takes units by and by has slow paths enough, and is
//! left alone until the next turn. Any other works without the idle units: the next turn is at once, and does not ask for
//! how long they were idle.
//!
//! Threads: any, inside its gate. Relaxed throughout: figures that stand for themselves; who gets a turn is decided by an
//! exchange, and units are moved under the cage's lock.

use super::{
    cage::{self, CAGE},
    fast,
    gate::Inside,
    size_class::UNIT,
};
use crate::{
    base::sync::{AtomicI32, AtomicU32, AtomicU64, Ordering},
    os::clock,
};

/// So many units may stay idle for ever in any program.
const KEPT_UNITS_MIN: u32 = (8 << 20) / UNIT as u32;
const TURN_UNITS_MIN: u32 = (4 << 20) / UNIT as u32;
const TURN_UNITS_MAX: u32 = (16 << 20) / UNIT as u32;
/// The part of the surplus that one turn gives back.
const TURN_PART: u32 = 8;
/// Pieces that one turn gives back at most.
const TURN_RUNS_MAX: u32 = 64;
const TURN_NS: u64 = 5_000_000;
const TICK_NS: u64 = 400_000_000;
const WATCHED_FREES_MAX: i32 = 4096;
/// Flushes, and units taken, by which a program that is watched is found to be busy.
const BUSY_FLUSHES: u32 = 4;
const BUSY_UNITS: u32 = TURN_UNITS_MIN;

/// So many more may, as the program has said.
static KEPT_UNITS_MORE: AtomicU32 = AtomicU32::new(0);
/// When the next turn is, and when the next tick.
static NEXT_TURN_NS: AtomicU64 = AtomicU64::new(0);
static NEXT_TICK_NS: AtomicU64 = AtomicU64::new(0);
/// Units that were idle through the whole last tick and have not been given back since.
static SURPLUS_UNITS: AtomicU32 = AtomicU32::new(0);
/// Watched frees left in this turn.
static FREES_LEFT: AtomicI32 = AtomicI32::new(0);
/// Flushes while frees are watched, and what `taken_units` said, since and when the frees left were counted anew.
static FLUSHES: AtomicU32 = AtomicU32::new(0);
static TAKEN_BEFORE: AtomicU32 = AtomicU32::new(0);

/// Lets the pages of `bytes` stay that nobody uses: the program has said that it will.
pub fn keep(bytes: usize) {
    let units = u32::try_from(bytes / UNIT).unwrap_or(u32::MAX);
    KEPT_UNITS_MORE.store(units.saturating_sub(KEPT_UNITS_MIN), Ordering::Relaxed);
}

/// Of so many idle units those beyond what may stay.
#[inline(always)]
fn beyond_kept(units: u32) -> u32 {
    units.saturating_sub(KEPT_UNITS_MIN).saturating_sub(KEPT_UNITS_MORE.load(Ordering::Relaxed))
}

/// A slow path is over: gives idle units back if it is time.
#[inline]
pub fn look(inside: &Inside<'_>) {
    if beyond_kept(cage::idle_units()) > 0 {
        take_turn_if_due(inside);
    }
}

/// As [`look`]; from now on frees look as well, while there is something to give back.
#[inline]
pub fn look_and_watch(inside: &Inside<'_>) {
    if beyond_kept(cage::idle_units()) > 0 {
        take_turn_if_due(inside);
        if !fast::is_surplus_watched() && FREES_LEFT.load(Ordering::Relaxed) > 0 {
            count_anew();
            fast::watch_surplus(true);
        }
    }
}

/// As [`look`], when slots went from a full magazine to their bitmaps. `true`: the thread had a turn, and is to empty its
/// magazines, so that its next allocation of another class begins the watch.
#[inline]
pub fn look_after_flush(inside: &Inside<'_>) -> bool {
    if beyond_kept(cage::idle_units()) == 0 {
        return false;
    }
    if fast::is_surplus_watched() {
        FLUSHES.fetch_add(1, Ordering::Relaxed);
    }
    take_turn_if_due(inside)
}

/// A free takes the slow path, perhaps because frees are watched.
#[inline]
pub fn look_if_watched(inside: &Inside<'_>) {
    if fast::is_surplus_watched() {
        look_watched(inside);
    }
}

#[cold]
#[unsafe(link_section = ".text.hot")]
fn look_watched(inside: &Inside<'_>) {
    let beyond = beyond_kept(cage::idle_units());
    if beyond == 0 {
        return fast::watch_surplus(false);
    }
    if FREES_LEFT.fetch_sub(1, Ordering::Relaxed) > 1 {
        take_turn_if_due(inside);
        return;
    }
    let taken = cage::taken_units().wrapping_sub(TAKEN_BEFORE.load(Ordering::Relaxed));
    if taken >= BUSY_UNITS || FLUSHES.load(Ordering::Relaxed) >= BUSY_FLUSHES {
        return fast::watch_surplus(false);
    }
    let next = NEXT_TURN_NS.load(Ordering::Relaxed);
    take_turn(inside, clock::coarse_ns(), next, beyond);
}

/// Whether it was due, and this thread's.
#[cold]
#[unsafe(link_section = ".text.hot")]
fn take_turn_if_due(inside: &Inside<'_>) -> bool {
    let (now, next) = (clock::coarse_ns(), NEXT_TURN_NS.load(Ordering::Relaxed));
    if now < next {
        return false;
    }
    tick_if_due(now);
    take_turn(inside, now, next, SURPLUS_UNITS.load(Ordering::Relaxed))
}

fn tick_if_due(now: u64) {
    let next = NEXT_TICK_NS.load(Ordering::Relaxed);
    if now >= next && try_set(&NEXT_TICK_NS, next, now + TICK_NS) {
        let low_water = CAGE.lock().as_mut().map_or(0, |cage| cage.restart_low_water());
        SURPLUS_UNITS.store(beyond_kept(low_water), Ordering::Relaxed);
    }
}

/// Of the threads that find the next turn at `next`, one takes it.
fn take_turn(inside: &Inside<'_>, now: u64, next: u64, surplus: u32) -> bool {
    if !try_set(&NEXT_TURN_NS, next, now + TURN_NS) {
        return false;
    }
    let surplus = surplus.min(beyond_kept(cage::idle_units()));
    let wanted = (surplus / TURN_PART).clamp(TURN_UNITS_MIN, TURN_UNITS_MAX).min(surplus);
    let released = release(inside, wanted, TURN_RUNS_MAX);
    SURPLUS_UNITS.store(surplus - released, Ordering::Relaxed);
    count_anew();
    true
}

/// Begins a count of watched frees, and of what tells a busy program.
fn count_anew() {
    FREES_LEFT.store(WATCHED_FREES_MAX, Ordering::Relaxed);
    FLUSHES.store(0, Ordering::Relaxed);
    TAKEN_BEFORE.store(cage::taken_units(), Ordering::Relaxed);
}

fn try_set(time: &AtomicU64, seen: u64, new: u64) -> bool {
    time.compare_exchange(seen, new, Ordering::Relaxed, Ordering::Relaxed).is_ok()
}

/// Gives the pages of all idle units back: how many bytes.
pub fn release_all(inside: &Inside<'_>) -> usize {
    release(inside, u32::MAX, u32::MAX) as usize * UNIT
}

/// Gives back at most so many units, in so many runs: how many.
fn release(_: &Inside<'_>, units_max: u32, runs_max: u32) -> u32 {
    let mut released = 0;
    for _ in 0..runs_max {
        let begun = CAGE.lock().as_mut().and_then(|cage| cage.begin_release(units_max - released));
        let Some(run) = begun else { break };
        let count = run.count();
        let is_given = run.give_pages_back();
        if let Some(cage) = CAGE.lock().as_mut() {
            cage.end_release(run, is_given);
        }
        if !is_given {
            break;
        }
        released += count;
        if released == units_max {
            break;
        }
    }
    released
}
