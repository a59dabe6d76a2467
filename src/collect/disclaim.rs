//! Disclaiming: objects of some kinds are shown to a procedure before they are taken back, which may keep them.
//!
//! It costs no table of objects, as finalizers do: the kind says it. What is dead is found in the bitmaps once marking is
//! over, noted, and marked with all it leads to: so nothing that the procedure may look at is gone, and programs that
//! lock, print or free there do so with the world running.
//!
//! ```text
//!   dead at the end of marking   ->   waiting: a root   ->   shown   ->   freed, or kept until it is dead again
//! ```
//!
//! An object that is dead and waits is not marked, as far as the program is told; who asks for its mark keeps it.
//!
//! It is freed once it has been shown. So where kinds ask for [parents first](Sight::ParentsFirst), what another dead object
//! leads to is shown after a later collection, and circles never: as bdwgc documents it, and does.
//!
//! Holds:   an object that waits is in use, and waits once.
//! Threads: the tables' lock; found with the world stopped; shown by one thread at a time, outside all locks.

use super::{allocate, mark::Marker, table::List};
use crate::{
    base::{
        addr::{Addr, Ambiguous, ObjRef},
        sync::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    heap::{
        kind::{KINDS_MAX, Kind},
        resolve, sweep, units,
    },
};

/// Is shown a dead object, and says whether it keeps it: 0 if not.
pub type Procedure = unsafe extern "C" fn(*mut core::ffi::c_void) -> core::ffi::c_int;

/// By kind. Relaxed: the mask below is set later, and cleared first.
static PROCEDURES: [AtomicUsize; KINDS_MAX] = [const { AtomicUsize::new(0) }; KINDS_MAX];
/// The kinds that have one, a bit each. Release and Acquire pair with each other.
static KINDS: AtomicU64 = AtomicU64::new(0);
/// Those of them whose objects are shown before what they lead to. Set before the mask above.
static PARENTS_FIRST: AtomicU64 = AtomicU64::new(0);
/// How many wait: whether it is worth taking the lock. Relaxed: of the moment.
static WAITING: AtomicUsize = AtomicUsize::new(0);
/// Whether a thread shows some.
static IS_SHOWING: AtomicBool = AtomicBool::new(false);

/// What a procedure may look at beside its object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sight {
    /// What lives otherwise.
    Object,
    /// All that the object leads to: it is shown first. That goes for objects whose first word has one of its two lowest
    /// bits set, as those with a closure have.
    ParentsFirst,
}

/// Has the dead objects of a kind shown to a procedure, or no more.
pub fn set(kind: Kind, procedure: Option<Procedure>, sight: Sight) {
    let bit = 1 << kind.number();
    KINDS.fetch_and(!bit, Ordering::Release);
    // Relaxed: the mask of kinds is set after it.
    match sight {
        Sight::Object => PARENTS_FIRST.fetch_and(!bit, Ordering::Relaxed),
        Sight::ParentsFirst => PARENTS_FIRST.fetch_or(bit, Ordering::Relaxed),
    };
    if let Some(procedure) = procedure {
        PROCEDURES[kind.number() as usize].store(procedure as usize, Ordering::Relaxed);
        KINDS.fetch_or(bit, Ordering::Release);
    }
}

/// What waits to be shown.
pub struct Dead {
    waiting: List<usize>,
    /// The one that is shown; zero: none is, or it has been kept meanwhile.
    shown: usize,
}

impl Dead {
    /// Nothing, without memory.
    pub const fn new() -> Self {
        Dead { waiting: List::new(), shown: 0 }
    }

    /// Visits all that waits: roots.
    pub fn for_each(&self, mut visit: impl FnMut(Addr)) {
        self.waiting.as_slice().iter().for_each(|&object| visit(Addr::new(object)));
        if self.shown != 0 {
            visit(Addr::new(self.shown));
        }
    }

    /// Notes what is dead of the kinds that ask, and marks it and what it leads to. The world is stopped, marking is done.
    pub(super) fn gather(&mut self, marker: &mut Marker) {
        let kinds = KINDS.load(Ordering::Acquire);
        if kinds != 0 {
            self.gather_of(kinds, marker);
        }
    }

    #[inline(never)]
    fn gather_of(&mut self, kinds: u64, marker: &mut Marker) {
        keep_what_dead_lead_to(kinds & PARENTS_FIRST.load(Ordering::Relaxed), marker);
        let before = self.waiting.len();
        for_each_dead(kinds, |start| {
            // Without memory for the note it is shown after a later collection.
            let _ = self.waiting.push(start.get());
            marker.offer(Ambiguous(start.get()));
        });
        marker.drain();
        WAITING.fetch_add(self.waiting.len() - before, Ordering::Relaxed);
    }

    /// Whether the object is alive as far as the program is told.
    pub fn is_alive(&self, object: Addr) -> bool {
        self.shown != object.get() && !self.waiting.as_slice().contains(&object.get())
    }

    /// Keeps an object that waits or is shown. `false`: it does not.
    pub fn keep(&mut self, object: Addr) -> bool {
        if self.shown == object.get() {
            self.shown = 0;
            return true;
        }
        let Some(index) = self.waiting.as_slice().iter().position(|&waiting| waiting == object.get()) else {
            return false;
        };
        self.waiting.swap_remove(index);
        WAITING.fetch_sub(1, Ordering::Relaxed);
        true
    }

    fn take(&mut self) -> Option<Addr> {
        self.shown = self.waiting.pop()?;
        WAITING.fetch_sub(1, Ordering::Relaxed);
        Some(Addr::new(self.shown))
    }
}

/// Visits the objects of some kinds that are not marked.
fn for_each_dead(kinds: u64, mut visit: impl FnMut(Addr)) {
    sweep::for_each_allocated_word(
        |class| kinds >> class.kind().number() & 1 == 1,
        |class, unit, index, allocated| {
            let dead = allocated & !units::words(unit)[index].marked.load(Ordering::Relaxed);
            sweep::for_each_slot(class, unit, index, dead, &mut visit);
        },
    );
}

/// Marks what dead objects of some kinds lead to, and not them: so a dead object that another leads to lives on until that
/// has been shown.
fn keep_what_dead_lead_to(kinds: u64, marker: &mut Marker) {
    if kinds == 0 {
        return;
    }
    for_each_dead(kinds, |start| {
        // SAFETY: an object in use, of a word at least.
        let asks = unsafe { start.as_ptr::<usize>().read() } & 3 != 0;
        if asks {
            marker.scan_children_of_unmarked(ObjRef::claim(start), |_| true);
        }
    });
    marker.drain();
}

/// Whether anything waits to be shown.
pub fn are_waiting() -> bool {
    WAITING.load(Ordering::Relaxed) != 0
}

/// Whether anything is dead that is there yet: it waits, or is shown.
pub fn is_any_dead() -> bool {
    are_waiting() || IS_SHOWING.load(Ordering::Relaxed)
}

/// Shows what waits, and frees what is not kept: how many. `call` calls the procedure with the object. The caller is outside
/// its gate. What another thread shows meanwhile is left to it.
pub fn show(mut call: impl FnMut(Procedure, Addr) -> bool) -> usize {
    // Acquire and Release: one thread at a time.
    if !are_waiting() || IS_SHOWING.swap(true, Ordering::Acquire) {
        return 0;
    }
    let mut freed = 0;
    while let Some(object) = allocate::with_tables(|tables| tables.dead.take()).flatten() {
        let is_kept = procedure_for(object).is_none_or(|procedure| call(procedure, object));
        let is_dead = allocate::with_tables(|tables| core::mem::take(&mut tables.dead.shown) != 0).unwrap_or(false);
        if is_dead && !is_kept {
            allocate::free(object, 0);
            freed += 1;
        }
    }
    IS_SHOWING.store(false, Ordering::Release);
    freed
}

/// A child of a fork has not the thread that may have been showing. What it showed is shown again when it is dead again.
pub(super) fn become_child(dead: &mut Dead) {
    dead.shown = 0;
    IS_SHOWING.store(false, Ordering::Relaxed);
}

fn procedure_for(object: Addr) -> Option<Procedure> {
    let kind = resolve::object_at(object)?.class().kind();
    if KINDS.load(Ordering::Acquire) >> kind.number() & 1 == 0 {
        return None;
    }
    let procedure = PROCEDURES[kind.number() as usize].load(Ordering::Relaxed);
    // SAFETY: `set` stored it before the kind's bit.
    Some(unsafe { core::mem::transmute::<usize, Procedure>(procedure) })
}
