//! The platform of the model checker: as much of floor 2 as the heap's protocols need, made of what `loom` watches.
//!
//! Futexes are a queue an address: whoever waits looks at the word and falls asleep in one step, as in the kernel. A
//! time limit never comes, so that it cannot hide a wake-up that was lost: `loom` reports threads that all sleep. Memory
//! is cut from a range that is zero again in each execution. No handler runs, and no time passes.
//!
//! The barrier is a fence on both sides, which is the engine's own way where the kernel does not fence for others. It
//! does; then the light side is nothing, and that is what it is in a model where nobody takes the heavy side: a fence
//! there would do in passing what the accesses around it have to do.
//!
//! The rest is the real platform, and so is the lock.

#[path = "jump.rs"]
pub mod jump;
#[path = "lines.rs"]
mod lines;
#[path = "lock.rs"]
pub mod lock;
#[path = "maps.rs"]
pub mod maps;
#[allow(dead_code, reason = "only the real limits and threads ask it")]
#[path = "path.rs"]
mod path;
#[allow(dead_code, reason = "only the real limits ask it")]
#[path = "quota.rs"]
mod quota;
#[allow(dead_code, reason = "the model has its own")]
#[path = "limits.rs"]
mod real_limits;
#[allow(dead_code, reason = "the model has its own memory")]
#[path = "mem.rs"]
mod real_mem;
#[allow(dead_code, reason = "the model runs under no checker of memory")]
#[path = "memcheck.rs"]
mod real_memcheck;
#[allow(dead_code, reason = "the model's signals come in its own way")]
#[path = "signal.rs"]
mod real_signal;
#[allow(dead_code, reason = "the model has its own futexes")]
#[path = "sys.rs"]
mod real_sys;
#[allow(dead_code, reason = "the model has its own barrier")]
#[path = "thread.rs"]
mod real_thread;
#[path = "stack.rs"]
pub mod stack;

/// The model's threads have stacks of their own, of which the C library's control blocks say nothing.
pub mod control_block {
    use crate::base::addr::Range;

    /// Nothing is told.
    pub fn stack() -> Option<Range> {
        None
    }
}

/// System calls, and futexes of the model's own. A queue's lock orders a waker before a waiter that comes later; the
/// kernel does the same by its own.
pub mod sys {
    use crate::base::{
        model::{self, Fault},
        sync::{AtomicU32, Ordering},
    };
    use loom::sync::{Condvar, Mutex};
    use std::{cell::RefCell, collections::HashMap, rc::Rc};

    pub use super::real_sys::*;

    type Queue = Rc<(Mutex<()>, Condvar)>;

    std::thread_local! {
        static QUEUES: RefCell<HashMap<usize, Queue>> = RefCell::default();
    }

    pub(super) fn begin() {
        QUEUES.take();
    }

    fn queue(word: &AtomicU32) -> Queue {
        let address = core::ptr::from_ref(word).addr();
        let new = || Rc::new((Mutex::new(()), Condvar::new()));
        QUEUES.with_borrow_mut(|queues| queues.entry(address).or_insert_with(new).clone())
    }

    /// Sleeps while the word is as expected.
    pub fn futex_wait(word: &AtomicU32, expected: u32, _timeout_ns: Option<u64>) {
        let queue = queue(word);
        let guard = queue.0.lock().expect("no thread panics with it");
        if word.load(Ordering::Relaxed) == expected {
            drop(queue.1.wait(guard).expect("no thread panics with it"));
        }
    }

    /// Wakes who sleeps on the word.
    pub fn futex_wake(word: &AtomicU32, _count: u32) {
        // A thread that is taken down because its execution has failed.
        if std::thread::panicking() {
            return;
        }
        let queue = queue(word);
        let guard = queue.0.lock().expect("no thread panics with it");
        if !model::is_planted(Fault::NoWake) {
            queue.1.notify_all();
        }
        drop(guard);
    }
}

/// Threads, with another barrier between them and other ids.
pub mod thread {
    use super::tls;
    use crate::base::{
        model::{self, Fault},
        sync::{Ordering, fence},
    };
    use core::cell::Cell;

    pub use super::real_thread::*;

    std::thread_local! {
        static HAS_BARRIER: Cell<bool> = const { Cell::new(false) };
    }

    pub(super) fn begin(has_barrier: bool) {
        HAS_BARRIER.set(has_barrier);
    }

    /// The number that the model gave the calling thread.
    pub fn id() -> u32 {
        tls::id()
    }

    /// The light side of the barrier.
    pub fn fence_if_needed() {
        if HAS_BARRIER.get() && !model::is_planted(Fault::NoLightFence) {
            fence(Ordering::SeqCst);
        }
    }

    /// The heavy side of the barrier.
    pub fn barrier_all() {
        assert!(HAS_BARRIER.get(), "model: somebody takes the heavy side of the barrier");
        if !model::is_planted(Fault::NoHeavyFence) {
            fence(Ordering::SeqCst);
        }
    }
}

/// Signals: one that a model sends is on its way until the thread lets it in.
pub mod signal {
    use crate::base::sync::{AtomicU32, Ordering};

    pub use super::real_signal::*;

    /// Not zero while a signal is on its way to the thread that the model is about.
    pub static SENT: AtomicU32 = AtomicU32::new(0);

    /// What was sent before comes now.
    pub fn let_in() {
        SENT.store(0, Ordering::Relaxed);
    }
}

/// No valgrind.
pub mod memcheck {
    pub use super::real_memcheck::*;

    /// Finds none.
    pub fn detect() -> bool {
        false
    }

    /// Never.
    pub fn is_running() -> bool {
        false
    }

    /// Never.
    pub fn is_simulated() -> bool {
        false
    }
}

/// Words of each thread's own.
pub mod tls {
    use crate::base::addr::Addr;
    use core::cell::Cell;

    loom::thread_local! {
        static RECORD: Cell<usize> = Cell::new(0);
        static HIDDEN: Cell<usize> = Cell::new(0);
        static RANKS: Cell<u64> = Cell::new(0);
        static ID: Cell<u32> = Cell::new(0);
    }

    /// This thread's record.
    pub fn record<T>() -> *mut T {
        core::ptr::with_exposed_provenance_mut(RECORD.with(Cell::get))
    }

    /// Sets this thread's record.
    pub fn set_record<T>(record: *mut T) {
        RECORD.with(|cell| cell.set(record.expose_provenance()));
    }

    /// This thread's record while it is in a safe region of the program's.
    pub fn hidden_record<T>() -> *mut T {
        core::ptr::with_exposed_provenance_mut(HIDDEN.with(Cell::get))
    }

    /// Sets what [`hidden_record`] gives.
    pub fn set_hidden_record<T>(record: *mut T) {
        HIDDEN.with(|cell| cell.set(record.expose_provenance()));
    }

    /// The ranks of the locks this thread holds.
    pub fn ranks() -> u64 {
        RANKS.with(Cell::get)
    }

    /// Sets the ranks of the locks this thread holds.
    pub fn set_ranks(ranks: u64) {
        RANKS.with(|cell| cell.set(ranks));
    }

    /// The number that the model gave this thread.
    pub fn id() -> u32 {
        ID.with(Cell::get)
    }

    /// Gives this thread its number.
    pub fn set_id(id: u32) {
        ID.with(|cell| cell.set(id));
    }

    /// Different for each thread.
    pub fn thread_pointer() -> Addr {
        Addr::new(id() as usize)
    }
}

/// Memory that is zero at the start of each execution, at the same addresses in all of them.
pub mod mem {
    use crate::base::addr::{Addr, Range};
    use core::cell::Cell;

    pub use super::real_mem::*;

    const ARENA_BYTES: usize = 64 << 20;
    const ARENA_ALIGN: usize = 4 << 20;

    std::thread_local! {
        static ARENA: Addr = obtain();
        static USED: Cell<usize> = const { Cell::new(0) };
    }

    fn obtain() -> Addr {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let bytes = ARENA_BYTES + ARENA_ALIGN;
        // SAFETY: a new mapping.
        let start = unsafe { libc::mmap(core::ptr::null_mut(), bytes, protection, flags, -1, 0) };
        assert_ne!(start, libc::MAP_FAILED, "model: no address space");
        Addr::of(start.cast::<u8>()).align_up(ARENA_ALIGN)
    }

    pub(super) fn begin() {
        // SAFETY: the range is ours, and the execution that used it is over.
        unsafe { libc::madvise(ARENA.with(|&start| start).as_ptr(), USED.get(), libc::MADV_DONTNEED) };
        USED.set(0);
    }

    /// Cuts zero bytes off the arena.
    pub fn reserve(bytes: usize, align: usize) -> Option<Addr> {
        let start = USED.get().next_multiple_of(align.max(PAGE));
        assert!(start + bytes <= ARENA_BYTES, "model: too little memory: raise ARENA_BYTES");
        USED.set(start + bytes);
        Some(ARENA.with(|&arena| arena) + start)
    }

    /// As `reserve`.
    pub fn map(bytes: usize) -> Option<Addr> {
        reserve(bytes, PAGE)
    }

    /// All memory is committed.
    pub fn commit(_: Range) -> bool {
        true
    }

    /// Pages stay.
    pub fn decommit(_: Range) -> bool {
        false
    }

    /// The arena only grows.
    pub fn release(_: Addr, _: usize) {}

    /// As `release`.
    pub fn release_part(_: Range) -> bool {
        true
    }
}

/// Limits, but for that of the address space.
pub mod limits {
    pub use super::real_limits::*;

    /// So little that the cage is small.
    pub fn address_space_max() -> Option<usize> {
        Some(16 << 20)
    }
}

/// Filters of system calls: there is none.
pub mod filter {
    /// Whether only calls about memory and futexes may be made.
    pub fn is_strict() -> bool {
        false
    }
}

/// Nobody polls: a model checker has no use for looking twice.
pub mod poll {
    /// A place where nobody looks.
    pub struct Place;

    impl Place {
        /// Such a place.
        pub const fn new() -> Place {
            Place
        }

        /// No.
        pub fn look(&self, _: impl FnMut() -> bool) -> bool {
            false
        }
    }
}

/// No time passes.
pub mod clock {
    /// No time passes.
    pub fn coarse_ns() -> u64 {
        0
    }

    /// Only the first moment has come.
    pub fn is_past(time_ns: u64) -> bool {
        time_ns == 0
    }
}

/// Starts an execution with empty queues and zero memory. `has_barrier`: somebody takes the heavy side.
pub fn begin(has_barrier: bool) {
    thread::begin(has_barrier);
    sys::begin();
    mem::begin();
}

/// Panics: the execution has failed.
#[macro_export]
macro_rules! fatal {
    ($($argument:tt)*) => { panic!($($argument)*) };
}
