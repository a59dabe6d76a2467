//! The atomics of the model checker: the engine's own code, run by `loom` through every order of its accesses.
//!
//! `loom`'s atomics have no constant constructor and no fixed layout; the engine's live in statics and in memory that
//! starts as zero. So the types here have the layout of the real ones and hold only the value that a word starts with.
//! What becomes of it in one execution is kept beside, by address, and forgotten when the next begins.
//!
//! # What the checker sees, and what it does not
//!
//! - `loom` knows no sequentially consistent accesses: it takes them as acquire and release. They are modelled in two
//!   ways, [`Total`], each a little stronger than the language in one respect; the models run with both.
//! - Its sequentially consistent fences synchronize with each other, which is more than the language promises.
//! - It does not move a load behind a later store of the same thread (nor does x86-64), and it forgets all but the last
//!   seven values of a word.
//! - Memory that is not atomic is not watched. A model puts a `loom::cell::UnsafeCell` where two threads must not meet.
//!
//! # Planted faults
//!
//! A model that cannot fail proves nothing. [`begin`] takes a [`Fault`], and the execution is what it would be if the
//! source had it: no line of the engine knows of faults. [`sites`] gives every place with an order to be weakened.

use core::{cell::UnsafeCell, marker::PhantomData, panic::Location};
use loom::sync::atomic::AtomicU64 as Shared;
use std::{
    cell::RefCell,
    collections::{BTreeSet, HashMap},
    rc::Rc,
    vec::Vec,
};

pub use loom::sync::atomic::Ordering;

/// As the real one.
pub fn fence(order: Ordering) {
    if !is_over() {
        loom::sync::atomic::fence(order);
    }
}

/// The checker reorders what the memory model allows, not what a compiler does: nothing to do.
pub fn compiler_fence(_: Ordering) {}

/// What an access does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Access {
    /// It reads.
    Load,
    /// It writes.
    Store,
    /// It does both at once.
    Update,
}

/// A place in the source that accesses a shared word with an order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Site {
    /// The source file, from the root of the repository.
    pub file: &'static str,
    /// See `file`.
    pub line: u32,
    /// See `file`.
    pub column: u32,
    /// What it does there.
    pub access: Access,
    /// How strong its order is.
    pub strength: Strength,
}

/// How strong an order is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Strength {
    /// None.
    Relaxed,
    /// Acquire, release, or both.
    Synchronizing,
    /// Sequentially consistent.
    Total,
}

/// What is wrong on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The access has no order. One of the total order keeps acquire and release.
    Weak(Site),
    /// The update is a load and a store.
    Torn(Site),
    /// The light side of the barrier is missing.
    NoLightFence,
    /// The heavy side of the barrier is missing.
    NoHeavyFence,
    /// Nobody who sleeps is woken.
    NoWake,
}

/// How sequentially consistent accesses are modelled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Total {
    /// Each write is followed by a fence, a load is one that acquires: what x86-64 makes of them. Shows writes that
    /// lack the order.
    Fenced,
    /// There are no fences, but each load gives the newest value. Shows loads that lack the order, and what else a
    /// fence would do in passing. All stores, to make one the newest, are exchanges.
    Newest,
}

/// Words that threads may meet first after they have been started: they have to exist before.
const SPARE_WORDS: usize = 96;

/// One execution.
#[derive(Default)]
struct Run {
    words: HashMap<usize, Rc<Shared>>,
    spare: Vec<Rc<Shared>>,
    has_threads: bool,
    total: Option<Total>,
    fault: Option<Fault>,
    sites: BTreeSet<Site>,
}

std::thread_local! {
    static RUN: RefCell<Run> = RefCell::default();
}

/// Starts an execution: every word holds what it started with. Called by its first thread before anything else.
pub fn begin(total: Total, fault: Option<Fault>) {
    let spare = (0..SPARE_WORDS).map(|_| Rc::new(Shared::new(0))).collect();
    let run = Run { spare, total: Some(total), fault, ..Run::default() };
    let last = RUN.replace(run);
    RUN.with_borrow_mut(|run| run.sites = last.sites);
}

/// Says that threads are about to start: from now on each finds the words of the others.
pub fn start_threads() {
    RUN.with_borrow_mut(|run| run.has_threads = true);
}

/// Forgets which sites have been met.
pub fn forget_sites() {
    RUN.with_borrow_mut(|run| run.sites.clear());
}

/// The sites that this OS thread's executions have met since [`forget_sites`].
pub fn sites() -> BTreeSet<Site> {
    RUN.with_borrow(|run| run.sites.clone())
}

/// Whether a fault is planted.
pub fn is_planted(fault: Fault) -> bool {
    RUN.with_borrow(|run| run.fault == Some(fault))
}

/// A value that fits a word.
pub trait Value: Copy {
    /// The value as a word.
    fn word(self) -> u64;
    /// The value of a word; what a narrower arithmetic would have lost is cut off.
    fn of(word: u64) -> Self;
}

macro_rules! values {
    ($($integer:ty)*) => { $(impl Value for $integer {
        fn word(self) -> u64 {
            self as u64
        }
        fn of(word: u64) -> Self {
            word as $integer
        }
    })* };
}
values!(i32 i64 u8 u16 u32 u64 usize);

impl Value for bool {
    fn word(self) -> u64 {
        u64::from(self)
    }
    fn of(word: u64) -> Self {
        word != 0
    }
}

impl<T> Value for *mut T {
    fn word(self) -> u64 {
        self.expose_provenance() as u64
    }
    fn of(word: u64) -> Self {
        core::ptr::with_exposed_provenance_mut(word as usize)
    }
}

/// A shared word with the layout of the real one.
#[repr(transparent)]
pub struct Atomic<V> {
    initial: UnsafeCell<V>,
    _not_send: PhantomData<V>,
}

// SAFETY: `initial` is only read; what threads share is loom's.
unsafe impl<V> Sync for Atomic<V> {}
// SAFETY: as above.
unsafe impl<V> Send for Atomic<V> {}

/// How an access is done.
struct How {
    order: Ordering,
    /// A fence follows.
    is_fenced: bool,
    /// A load that gives the newest value, or a store that is the newest.
    is_newest: bool,
    /// An update that is not one.
    is_torn: bool,
}

#[track_caller]
fn how(access: Access, order: Ordering) -> How {
    let caller = Location::caller();
    let strength = match order {
        Ordering::Relaxed => Strength::Relaxed,
        Ordering::SeqCst => Strength::Total,
        _ => Strength::Synchronizing,
    };
    let site = Site { file: caller.file(), line: caller.line(), column: caller.column(), access, strength };
    let (total, fault) = RUN.with_borrow_mut(|run| {
        run.sites.insert(site);
        (run.total, run.fault)
    });
    let is_weak = fault == Some(Fault::Weak(site));
    let is_total = strength == Strength::Total && !is_weak;
    let order = match (strength, access) {
        (Strength::Total, Access::Load) => Ordering::Acquire,
        (Strength::Total, Access::Store) => Ordering::Release,
        (Strength::Total, Access::Update) => Ordering::AcqRel,
        (_, _) if is_weak => Ordering::Relaxed,
        (_, _) => order,
    };
    How {
        order,
        is_fenced: is_total && access != Access::Load && total == Some(Total::Fenced),
        is_newest: (is_total || access == Access::Store) && total == Some(Total::Newest),
        is_torn: fault == Some(Fault::Torn(site)),
    }
}

impl How {
    fn done(&self) {
        if self.is_fenced {
            fence(Ordering::SeqCst);
        }
    }
}

/// Whether the calling thread is taken down because its execution has failed: destructors run, and there is nothing to
/// access any more.
fn is_over() -> bool {
    std::thread::panicking()
}

impl<V: Value> Atomic<V> {
    /// A word that starts as `value`.
    pub const fn new(value: V) -> Self {
        Atomic { initial: UnsafeCell::new(value), _not_send: PhantomData }
    }

    fn shared(&self) -> Rc<Shared> {
        // SAFETY: nobody writes it.
        let initial = unsafe { *self.initial.get() }.word();
        let address = core::ptr::from_ref(self).addr();
        RUN.with_borrow_mut(|run| {
            let Run { words, spare, has_threads, .. } = run;
            let word = words.entry(address).or_insert_with(|| {
                if !*has_threads {
                    return Rc::new(Shared::new(initial));
                }
                assert_eq!(initial, 0, "model: a word that does not start as zero has to be used before threads start");
                spare.pop().unwrap_or_else(|| panic!("model: too few words: raise SPARE_WORDS"))
            });
            word.clone()
        })
    }

    /// As the real one.
    #[track_caller]
    pub fn load(&self, order: Ordering) -> V {
        if is_over() {
            return V::of(0);
        }
        let how = how(Access::Load, order);
        let shared = self.shared();
        // An update reads the newest value.
        V::of(if how.is_newest { shared.fetch_add(0, how.order) } else { shared.load(how.order) })
    }

    /// As the real one.
    #[track_caller]
    pub fn store(&self, value: V, order: Ordering) {
        if is_over() {
            return;
        }
        let how = how(Access::Store, order);
        let shared = self.shared();
        match how.is_newest {
            true => _ = shared.swap(value.word(), how.order),
            false => shared.store(value.word(), how.order),
        }
        how.done();
    }

    #[track_caller]
    fn update(
        &self,
        order: Ordering,
        whole: impl FnOnce(&Shared, Ordering) -> u64,
        half: impl FnOnce(u64) -> u64,
    ) -> V {
        if is_over() {
            return V::of(0);
        }
        let how = how(Access::Update, order);
        let shared = self.shared();
        let old = if how.is_torn {
            let old = shared.load(Ordering::Acquire);
            shared.store(half(old), Ordering::Release);
            old
        } else {
            whole(&shared, how.order)
        };
        how.done();
        V::of(old)
    }

    /// As the real one.
    #[track_caller]
    pub fn swap(&self, value: V, order: Ordering) -> V {
        self.update(order, |shared, order| shared.swap(value.word(), order), |_| value.word())
    }

    /// As the real one, but for a word whose narrower arithmetic has run over.
    #[track_caller]
    pub fn compare_exchange(&self, old: V, new: V, success: Ordering, failure: Ordering) -> Result<V, V> {
        if is_over() {
            return Ok(old);
        }
        let how = how(Access::Update, success);
        let shared = self.shared();
        let result = if how.is_torn {
            let found = shared.load(Ordering::Acquire);
            let is_equal = found == old.word();
            if is_equal {
                shared.store(new.word(), Ordering::Release);
            }
            if is_equal { Ok(found) } else { Err(found) }
        } else {
            shared.compare_exchange(old.word(), new.word(), how.order, failure)
        };
        how.done();
        result.map(V::of).map_err(V::of)
    }

    /// As the real one; it never fails without a reason.
    #[track_caller]
    pub fn compare_exchange_weak(&self, old: V, new: V, success: Ordering, failure: Ordering) -> Result<V, V> {
        self.compare_exchange(old, new, success, failure)
    }

    /// As the real one.
    #[track_caller]
    pub fn fetch_update(
        &self,
        success: Ordering,
        failure: Ordering,
        mut next: impl FnMut(V) -> Option<V>,
    ) -> Result<V, V> {
        let mut old = self.load(failure);
        while let Some(new) = next(old) {
            match self.compare_exchange(old, new, success, failure) {
                Ok(old) => return Ok(old),
                Err(newer) => old = newer,
            }
        }
        Err(old)
    }
}

macro_rules! updates {
    ($($name:ident $operate:expr;)*) => {
        impl<V: Value> Atomic<V> {
            $(
                /// As the real one.
                #[track_caller]
                pub fn $name(&self, value: V, order: Ordering) -> V {
                    let value = value.word();
                    let operate: fn(u64, u64) -> u64 = $operate;
                    self.update(order, |shared, order| shared.$name(value, order), |old| operate(old, value))
                }
            )*
        }
    };
}
updates! {
    fetch_add u64::wrapping_add;
    fetch_sub u64::wrapping_sub;
    fetch_and |old, value| old & value;
    fetch_or |old, value| old | value;
    fetch_xor |old, value| old ^ value;
    fetch_min Ord::min;
    fetch_max Ord::max;
}

/// As the real one.
pub type AtomicBool = Atomic<bool>;
/// As the real one.
pub type AtomicI32 = Atomic<i32>;
/// As the real one.
pub type AtomicI64 = Atomic<i64>;
/// As the real one.
pub type AtomicPtr<T> = Atomic<*mut T>;
/// As the real one.
pub type AtomicU8 = Atomic<u8>;
/// As the real one.
pub type AtomicU16 = Atomic<u16>;
/// As the real one.
pub type AtomicU32 = Atomic<u32>;
/// As the real one.
pub type AtomicU64 = Atomic<u64>;
/// As the real one.
pub type AtomicUsize = Atomic<usize>;
