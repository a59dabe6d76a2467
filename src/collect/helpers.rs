//! Helpers: threads that mark beside the collecting one, born for a collection and gone before the world goes on.
//!
//! A helper is a bare thread of the kernel's. No pool sleeps between collections: so a fork loses no thread of ours, a
//! program that counts its threads or gives up privileges finds its own only, and a collection that one marker ends
//! soon pays for none.
//!
//! ```text
//!   prepare   memory for each, before the world stops
//!   start     the threads, when the roots have been read
//!   …         each walks with the others until nobody has anything left: see `share`
//!   finish    waits until all have ended
//! ```
//!
//! A sandbox that ends a program for making a thread ends it here too; `markers=1` is for such programs.
//!
//! Threads: the collecting thread; the world is stopped from `start` to `finish`.

use super::{
    scanner::{Role, Scanner},
    settings,
    share::Share,
};
use crate::{
    base::addr::Addr,
    heap::mutator,
    os::{cpus, helper::Helper, mem, memcheck},
};
use core::{ffi::c_void, ptr::NonNull};

/// More markers than this wait for memory, and for each other.
pub const MARKERS_MAX: usize = 16;
const HELPERS_MAX: usize = MARKERS_MAX - 1;
const STACK_BYTES: usize = 256 << 10;

/// Marking that takes one marker less than this is over before a helper is of use.
const WORTH_NS: u64 = 2_000_000;

/// How many are to mark, when the last time it cost `mark_cpu_ns` over all markers.
pub fn markers_wanted(mark_cpu_ns: u64, is_malloc: bool) -> usize {
    if memcheck::is_running() || cfg!(asan) {
        // A bare thread is more than those tools know.
        return 1;
    }
    match settings::markers() {
        0 if mark_cpu_ns < WORTH_NS => 1,
        // A program that has one thread may rely on that.
        0 if is_malloc && mutator::count_alive() <= 1 => 1,
        0 => cpus::usable().min(MARKERS_MAX).min((mark_cpu_ns / WORTH_NS) as usize + 1),
        set => set.min(MARKERS_MAX),
    }
}

/// Whether helpers repay what sharing costs the lead. A heap that is one long list gives them nothing to do; then several
/// collections go without, twice as many each time, before helpers are tried again.
struct Worth {
    alone_left: u32,
    alone_next: u32,
}

const ALONE_MAX: u32 = 64;
/// The part of all batches, one in so many, that each helper has to take for helpers to be worth it.
const SHARE_LEAST: u64 = 8;

impl Worth {
    const fn new() -> Self {
        Worth { alone_left: 0, alone_next: 1 }
    }

    /// Whether the collection that begins goes without.
    fn goes_without(&mut self) -> bool {
        let is_alone = self.alone_left > 0;
        self.alone_left = self.alone_left.saturating_sub(1);
        is_alone
    }

    /// `all` batches were marked in a collection, `helped` of them by `helpers`.
    fn note(&mut self, all: u64, helped: u64, helpers: u64) {
        if helped * SHARE_LEAST >= all * helpers {
            *self = Worth::new();
        } else {
            self.alone_left = self.alone_next;
            self.alone_next = (self.alone_next * 2).min(ALONE_MAX);
        }
    }
}

/// Whether helpers save time where marking is over soon anyway. They may have enough to do and save none: where processors
/// share a core, where objects are handed to and fro all the time, where the machine has others to run.
///
/// Heaps change, so two collections are compared that follow each other, one with helpers and one without. For that the other
/// way is tried from time to time, half as often each time that it is found to be the worse one.
struct Saving {
    /// The time that an object takes with helpers, in thousandths of what it takes without.
    ratio: u64,
    /// What the collection before took: picoseconds an object, and in all; and whether it had helpers.
    object_ps: u64,
    mark_ns: u64,
    had_helpers: bool,
    /// Collections until the other way is tried, and from there to the next trial.
    trial_in: u32,
    trials_apart: u32,
}

const TRIALS_APART_MIN: u32 = 4;
const TRIALS_APART_MAX: u32 = 64;
/// What is expected before anything is known.
const RATIO_FIRST: u64 = 500;
/// Helpers that save less are not worth it.
const RATIO_MAX: u64 = 950;
/// One marker is soon done in less than this. Otherwise nobody is made to wait for a trial.
const SOON_NS: u64 = 20_000_000;

impl Saving {
    const fn new() -> Self {
        Saving {
            ratio: RATIO_FIRST,
            object_ps: 0,
            mark_ns: 0,
            had_helpers: false,
            trial_in: TRIALS_APART_MIN,
            trials_apart: TRIALS_APART_MIN,
        }
    }

    /// Whether one marker would be done soon.
    fn is_of_use(&self) -> bool {
        let alone_ns = if self.had_helpers { self.mark_ns * 1000 / self.ratio } else { self.mark_ns };
        alone_ns < SOON_NS
    }

    fn are_helpers_worth_it(&self) -> bool {
        self.ratio < RATIO_MAX
    }

    /// Whether the collection that begins goes without.
    fn goes_without(&mut self) -> bool {
        self.trial_in = self.trial_in.saturating_sub(1);
        self.are_helpers_worth_it() == (self.trial_in == 0)
    }

    /// A collection has marked so many objects in `mark_ns`.
    fn note(&mut self, mark_ns: u64, objects: u64, has_helpers: bool) {
        let were_worth_it = self.are_helpers_worth_it();
        let object_ps = (mark_ns * 1000 / objects.max(1)).max(1);
        if self.object_ps != 0 && self.had_helpers != has_helpers {
            let (helped, alone) = if has_helpers { (object_ps, self.object_ps) } else { (self.object_ps, object_ps) };
            // Others run on the machine, too: one pair says little.
            self.ratio = ((self.ratio + helped * 1000 / alone) / 2).max(1);
        }
        (self.object_ps, self.mark_ns, self.had_helpers) = (object_ps, mark_ns, has_helpers);
        if self.are_helpers_worth_it() != were_worth_it {
            (self.trial_in, self.trials_apart) = (TRIALS_APART_MIN, TRIALS_APART_MIN);
        } else if self.trial_in == 0 {
            self.trials_apart = (self.trials_apart * 2).min(TRIALS_APART_MAX);
            self.trial_in = self.trials_apart;
        }
    }
}

/// A helper's own: the thread and what it walks with.
struct Seat {
    thread: Helper,
    scanner: Scanner,
}

/// See the module's documentation.
pub struct Helpers {
    share: &'static Share,
    seats: [Option<NonNull<Seat>>; HELPERS_MAX],
    /// How many are to be started, and how many have been.
    wanted: usize,
    started: usize,
    worth: Worth,
    saving: Saving,
}

impl Helpers {
    /// None, without memory.
    pub const fn new(share: &'static Share) -> Self {
        Helpers {
            share,
            seats: [const { None }; HELPERS_MAX],
            wanted: 0,
            started: 0,
            worth: Worth::new(),
            saving: Saving::new(),
        }
    }

    /// Makes room for `count` helpers, each with a stack of `objects_max`: for fewer where the system refuses. Not during
    /// a collection.
    pub fn prepare(&mut self, count: usize, objects_max: usize) {
        (self.wanted, self.started) = (0, 0);
        let is_forced = settings::markers() != 0;
        if count == 0 || !is_forced && self.goes_without() || !self.share.prepare() {
            return;
        }
        for seat in &mut self.seats[..count.min(HELPERS_MAX)] {
            if seat.is_none() {
                *seat = Seat::make(self.share);
            }
            let Some(seat) = seat else { return };
            // SAFETY: a seat is ours while no helper runs.
            let seat = unsafe { seat.as_mut() };
            seat.scanner.prepare(objects_max);
            if !seat.scanner.can_take_over() {
                return;
            }
            self.wanted += 1;
        }
    }

    fn goes_without(&mut self) -> bool {
        if self.saving.is_of_use() { self.saving.goes_without() } else { self.worth.goes_without() }
    }

    /// Starts the helpers. `false`: there is none.
    pub fn start(&mut self) -> bool {
        if self.wanted == 0 {
            return false;
        }
        self.share.open();
        for seat in self.seats[..self.wanted].iter().flatten() {
            // SAFETY: a seat is ours while no helper runs; this one's scanner is the helper's from here to `finish`.
            let is_started = unsafe {
                let Seat { thread, scanner } = &mut *seat.as_ptr();
                scanner.begin(Role::Helper);
                thread.start(help, (&raw mut *scanner).cast())
            };
            if !is_started {
                break;
            }
            self.started += 1;
        }
        // Without helpers the lead shares with nobody, and finds that all is over by itself.
        true
    }

    /// Waits until the helpers have ended, while the lead marked `batches`. Whether a helper has flagged a unit.
    pub fn finish(&mut self, batches: u64) -> bool {
        let (mut overflowed, mut helped) = (false, 0);
        for seat in self.seats[..self.started].iter().flatten() {
            // SAFETY: the thread is no part of what the helper has; the rest is ours again when it is gone.
            unsafe {
                (*seat.as_ptr()).thread.join();
                let scanner = &mut (*seat.as_ptr()).scanner;
                overflowed |= core::mem::take(&mut scanner.overflowed);
                helped += scanner.shared_batches;
            }
        }
        self.worth.note(batches + helped, helped, self.started as u64);
        overflowed
    }

    /// All markers together have marked so many objects in `mark_ns`, in which the roots were read, too.
    pub fn note(&mut self, mark_ns: u64, objects: u64) {
        self.saving.note(mark_ns, objects, self.started != 0);
    }

    /// Gives back what the last collection needed: the threads are gone for the kernel too, and so is memory that the next
    /// one may not need.
    pub fn release(&mut self) {
        for seat in self.seats[..self.started].iter_mut().flatten() {
            // SAFETY: a seat is ours while no helper runs.
            let Seat { thread, scanner } = unsafe { seat.as_mut() };
            thread.await_end();
            scanner.release();
        }
    }

    /// How many marked beside the collecting thread the last time.
    pub fn started(&self) -> usize {
        self.started
    }
}

impl Seat {
    /// A seat in memory of its own, which is never given back.
    fn make(share: &'static Share) -> Option<NonNull<Seat>> {
        let memory = NonNull::new(mem::map(size_of::<Seat>())?.as_ptr::<Seat>())?;
        let Some(thread) = Helper::new(STACK_BYTES) else {
            mem::unmap(Addr::of(memory.as_ptr()), size_of::<Seat>());
            return None;
        };
        // SAFETY: mapped just now, large enough and page-aligned.
        unsafe { memory.write(Seat { thread, scanner: Scanner::new(share) }) };
        Some(memory)
    }
}

/// What a helper does.
extern "C" fn help(data: *mut c_void) {
    // SAFETY: `start` passes a scanner, which is this thread's until it ends.
    unsafe { &mut *data.cast::<Scanner>() }.help();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helpers_with_nothing_to_do_are_asked_less_and_less_and_come_back_when_they_work() {
        let mut worth = Worth::new();
        for pause in [1, 2, 4, 8, 16, 32, 64, 64] {
            assert!(!worth.goes_without());
            worth.note(1000, 10, 1);
            assert_eq!((0..1000).take_while(|_| worth.goes_without()).count(), pause);
            worth.alone_left = 0;
        }
        worth.note(1000, 400, 1);
        assert!(!worth.goes_without() && !worth.goes_without());
        worth.note(1000, 300, 3);
        assert!(worth.goes_without(), "three helpers that take three tenths together are not worth it");
        assert!(!worth.goes_without());
    }

    /// How many of so many collections of 1 M objects have helpers, where each object takes so many nanoseconds.
    fn helped(saving: &mut Saving, collections: usize, alone_ns: u64, helped_ns: u64) -> usize {
        const OBJECTS: u64 = 1_000_000;
        let mut collect = || {
            let has_helpers = !saving.goes_without();
            saving.note(OBJECTS * if has_helpers { helped_ns } else { alone_ns }, OBJECTS, has_helpers);
            has_helpers
        };
        (0..collections).filter(|_| collect()).count()
    }

    #[test]
    fn helpers_that_save_no_time_are_tried_less_and_less_and_come_back_when_they_do() {
        let mut saving = Saving::new();
        assert!((900..1000).contains(&helped(&mut saving, 1000, 15, 10)));
        assert!((2..250).contains(&helped(&mut saving, 1000, 15, 15)), "after some trials");
        assert!((2..40).contains(&helped(&mut saving, 1000, 15, 30)));
        assert!((500..1000).contains(&helped(&mut saving, 1000, 15, 5)), "after some trials");
        assert!(saving.is_of_use());
        saving.note(SOON_NS, 1_000_000, false);
        assert!(!saving.is_of_use(), "nobody waits for a trial");
    }
}
