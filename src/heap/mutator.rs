//! Mutators: the record of a thread that uses the heap.
//!
//! A record holds a thread's magazines, its gate, and what a collector must know to stop it and find its stack. Records
//! are mapped from the system and never given back: a thread's record may be read by a collector, by its late
//! destructors, or by a signal handler at any time. A record whose thread is gone is used again.
//!
//! ```text
//!   free --register--> alive --(the tid is gone)--> adopted by a collection: magazines flushed --> free
//! ```
//!
//! A thread never takes itself off the list: its TLS destructors, the rounds of other keys and libc's own clean-up run
//! after ours, and free memory. So a record is given up by whoever finds that its thread is no more.
//!
//! A thread without a record has a null word in its TLS, for which [`current_or_empty`] gives a static record of zeroes,
//! whose magazines are empty and full: all its operations take the slow path, which registers.

use super::{
    gate,
    late::Late,
    magazine::Magazine,
    region, resolve,
    units::{CLASS_WORDS, Class},
};
use crate::{
    base::{
        addr::{Addr, Range},
        sync::{AtomicI64, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
    os::{
        lock::{Lock, Rank},
        mem, signal, stack, sys, thread, tls,
    },
};
use core::cell::UnsafeCell;

/// See the module's documentation. The magazines come first: the fast paths find them at the TLS word itself.
#[repr(C)]
pub struct Mutator {
    magazines: [Magazine; CLASS_WORDS],
    /// The gate: not zero while the thread runs a slow path.
    pub inside: AtomicU32,
    /// The kernel's id of the thread; zero while the record is free.
    pub tid: AtomicU32,
    /// Not zero in a safe region.
    pub region: AtomicU32,
    /// The stop that asked this thread last, and the one that it has answered last.
    pub requested: AtomicU32,
    /// See `requested`.
    pub stopped: AtomicU32,
    /// Not zero when the stop signal does not reach the thread, so that it is asked by the reserve signal.
    pub is_deaf: AtomicU32,
    /// How many system calls of the thread's the stop signal alone has cut short. Only the thread uses it.
    pub calls_cut_short: AtomicU32,
    /// The stack pointer at the start of the safe region.
    pub region_sp: AtomicUsize,
    /// The frame that opened the program's safe region: what runs inside lies below it on the stack.
    pub region_frame: AtomicUsize,
    /// The finalizer that runs on this thread.
    pub finalizing: Callback,
    /// The listener that runs on this thread.
    pub listening: Callback,
    /// A thread that did not stop for a collection of this one's, until somebody has been told; zero for none.
    pub silent_thread: AtomicU32,
    /// The thread pointer of the thread that had the record before, until a collection has taken note of it.
    pub former_thread_pointer: AtomicUsize,
    /// The context of the code that the stop signal interrupted.
    pub context: AtomicUsize,
    /// The thread pointer, the lowest address of the stack and its cold end, as far as known.
    pub thread_pointer: AtomicUsize,
    /// See `thread_pointer`.
    pub stack_start: AtomicUsize,
    /// See `thread_pointer`.
    pub stack_end: AtomicUsize,
    /// Net bytes allocated since they were last added to the heap's counter.
    pub net_bytes: AtomicI64,
    /// Bytes handed out to this record's magazines and taken back by hand, in all its lives.
    pub allocated_bytes: AtomicU64,
    /// See `allocated_bytes`.
    pub freed_bytes: AtomicU64,
    /// Bytes that the magazines may hold together.
    pub(super) cached_limit_bytes: UnsafeCell<usize>,
    /// Freed slots that wait: only under memcheck.
    pub(super) late: Late,
    /// Where the next magazine's array is cut from.
    pub(super) arrays: UnsafeCell<Range>,
    next: AtomicPtr<Mutator>,
}

// SAFETY: shared fields are atomics; `UnsafeCell`s and magazines are used by the owner, or by a collector while the
// owner is stopped or gone.
unsafe impl Sync for Mutator {}

/// A callback that runs on a thread: a word in the frame that called it, and what that word holds meanwhile.
///
/// One that ended by `longjmp` has not come back to say so. Its frame is gone then, which shows by a caller whose frame
/// lies above the word, or by another value in the word.
pub struct Callback {
    word: AtomicUsize,
    token: AtomicUsize,
}

static TOKENS: AtomicUsize = AtomicUsize::new(0);
/// An odd number without a pattern (2^64 over the golden ratio), so that its multiples differ and look like no data.
const TOKEN_STEP: usize = 0x9e37_79b9_7f4a_7c15;

impl Callback {
    /// Begins one; `word` lies in the frame that is going to call it.
    pub fn begin(&self, word: &mut usize) {
        let token = TOKENS.fetch_add(TOKEN_STEP, Ordering::Relaxed).wrapping_add(TOKEN_STEP);
        *word = token;
        self.token.store(token, Ordering::Relaxed);
        self.word.store(core::ptr::from_mut(word) as usize, Ordering::Relaxed);
    }

    /// It is over, or there is none.
    pub fn end(&self) {
        self.word.store(0, Ordering::Relaxed);
    }

    /// Whether one is running below the caller, whose frame is at `frame`.
    pub fn is_running(&self, frame: usize) -> bool {
        let word = self.word.load(Ordering::Relaxed);
        if frame >= word {
            return false;
        }
        // By copying: the frame may have been on a stack that is not mapped any more.
        let mut held = [0; size_of::<usize>()];
        sys::read_own_memory(word, &mut held) == held.len()
            && usize::from_ne_bytes(held) == self.token.load(Ordering::Relaxed)
    }
}

/// The record of threads without one. All zero, never written.
static EMPTY: Empty = Empty(UnsafeCell::new([0; size_of::<Mutator>() / 8]));

#[repr(align(64))]
struct Empty(UnsafeCell<[u64; size_of::<Mutator>() / 8]>);
// SAFETY: never written.
unsafe impl Sync for Empty {}

/// The list of all records ever made. Pushed to under the lock; followed by anybody.
static FIRST: AtomicPtr<Mutator> = AtomicPtr::new(core::ptr::null_mut());
static RECORDS: Lock<u32> = Lock::new(Rank::Threads, 0);

impl Mutator {
    /// The magazine for a class.
    #[inline(always)]
    pub fn magazine(&self, class: Class) -> &Magazine {
        &self.magazines[class.index()]
    }

    /// Visits the slots that magazines hold, and those that wait.
    ///
    /// # Safety
    /// The caller is the owner in its gate, or the owner is stopped or gone.
    pub unsafe fn for_each_cached(&self, mut visit: impl FnMut(Class, &[usize])) {
        for (index, magazine) in self.magazines.iter().enumerate() {
            // SAFETY: by the caller's promise.
            let cached = unsafe { magazine.cached() };
            if !cached.is_empty() {
                visit(Class::from_index(index), cached);
            }
        }
        // SAFETY: by the caller's promise.
        for &slot in unsafe { self.late.slots() } {
            if let Some(slot) = resolve::locate(Addr::new(slot)) {
                visit(slot.class(), &[slot.start().get()]);
            }
        }
    }

    /// Visits the classes that have slots in a magazine, with how many. Beside a running owner the counts are of a moment.
    pub fn count_cached(&self, mut visit: impl FnMut(Class, usize)) {
        for (index, magazine) in self.magazines.iter().enumerate() {
            let count = magazine.count();
            if count != 0 {
                visit(Class::from_index(index), count);
            }
        }
    }

    /// Whether a thread has the record.
    pub fn is_alive(&self) -> bool {
        self.tid.load(Ordering::Acquire) != 0
    }

    /// The stack, as far as it is known.
    pub fn stack(&self) -> Range {
        Range::new(
            Addr::new(self.stack_start.load(Ordering::Relaxed)),
            Addr::new(self.stack_end.load(Ordering::Relaxed)),
        )
    }

    /// Sets the stack's range.
    pub fn set_stack(&self, range: Range) {
        self.stack_start.store(range.start.get(), Ordering::Relaxed);
        self.stack_end.store(range.end.get(), Ordering::Relaxed);
    }

    /// The records that come after this one in [`all`].
    pub fn followers(&self) -> impl Iterator<Item = &'static Mutator> {
        from(self.next.load(Ordering::Acquire))
    }

    /// Gives the record up: the next thread may have it. What it cached has been returned.
    pub fn release(&self) {
        self.tid.store(0, Ordering::Release);
    }

    /// Makes the record a new thread's.
    fn claim_for(&self, tid: u32) {
        self.region.store(0, Ordering::Relaxed);
        self.requested.store(0, Ordering::Relaxed);
        self.stopped.store(0, Ordering::Relaxed);
        self.is_deaf.store(0, Ordering::Relaxed);
        self.finalizing.end();
        self.listening.end();
        self.silent_thread.store(0, Ordering::Relaxed);
        self.context.store(0, Ordering::Relaxed);
        self.thread_pointer.store(0, Ordering::Relaxed);
        self.set_stack(Range::default());
        self.inside.store(0, Ordering::Relaxed);
        self.tid.store(tid, Ordering::Release);
    }
}

/// This thread's record, or the empty one: for the fast paths.
#[inline(always)]
pub fn current_or_empty() -> &'static Mutator {
    let record = tls::record::<Mutator>();
    if record.is_null() {
        // SAFETY: all-zero bytes are a valid record: null pointers and zero counters.
        return unsafe { &*EMPTY.0.get().cast::<Mutator>() };
    }
    // SAFETY: the TLS word is null or this thread's record, and records live for ever.
    unsafe { &*record }
}

/// This thread's record, if it has one.
#[inline]
pub fn current() -> Option<&'static Mutator> {
    // SAFETY: as in `current_or_empty`.
    unsafe { tls::record::<Mutator>().as_ref() }
}

/// This thread's record; makes one at the first call. `None` when the system refuses the memory.
///
/// Must not be called inside a gate: finding the stack's bounds may allocate.
#[inline]
pub fn register() -> Option<&'static Mutator> {
    match current() {
        Some(mutator) => Some(mutator),
        None => register_slowly(),
    }
}

/// Runs `work`, a trace procedure, with this thread's record hidden: should it use the heap, which is half marked, or
/// jump away, then the fast paths find nothing, and the slow ones find out.
pub fn forbid(work: impl FnOnce()) {
    let record = tls::record::<Mutator>();
    tls::set_hidden_record(record);
    tls::set_record(core::ptr::null_mut::<Mutator>());
    work();
    tls::set_record(record);
    tls::set_hidden_record(core::ptr::null_mut::<Mutator>());
}

#[cold]
fn register_slowly() -> Option<&'static Mutator> {
    if gate::is_closed_by(thread::id()) {
        crate::fatal!(
            "trace procedure: called gleaner while it marked; it may call gc_trace_word and gc_trace_range only"
        );
    }
    // In a safe region the record is hidden, so that whoever uses the heap comes here and ends the region first.
    if let Some(mutator) = region::leave() {
        return Some(mutator);
    }
    // A thread that holds the list's lock must not be stopped, and it is in no gate: it cannot be signalled instead.
    let mask = signal::block_all();
    let obtained = obtain(thread::id());
    signal::set_mask(mask);
    let mutator = obtained?;
    // The kernel gives ids out again: the record may have been another thread's, or a collector's note of this one.
    let tp = tls::thread_pointer().get();
    let former = mutator.thread_pointer.swap(tp, Ordering::Relaxed);
    if former != tp {
        mutator.former_thread_pointer.store(former, Ordering::Relaxed);
        mutator.set_stack(Range::default());
    }
    mutator.finalizing.end();
    mutator.listening.end();
    mutator.region.store(0, Ordering::Relaxed);
    tls::set_record(core::ptr::from_ref(mutator).cast_mut());
    // From here on this thread can allocate, and asking for the bounds may.
    if let Some(bounds) = stack::of_this_thread() {
        mutator.set_stack(bounds);
    }
    Some(mutator)
}

/// A record for thread `tid`. The caller is a collector with the gates closed, or has all signals blocked.
///
/// It is the one the thread has, else a free one, else a new one.
pub fn obtain(tid: u32) -> Option<&'static Mutator> {
    let mut count = RECORDS.lock();
    if let Some(known) = find(tid) {
        return Some(known);
    }
    if let Some(free) = all().find(|record| !record.is_alive()) {
        free.claim_for(tid);
        return Some(free);
    }
    let record = mem::map(size_of::<Mutator>())?.as_ptr::<Mutator>();
    // SAFETY: mapped just now, zero, large enough, never given back; all-zero bytes are a valid record.
    let record: &'static Mutator = unsafe { &*record };
    record.claim_for(tid);
    record.next.store(FIRST.load(Ordering::Relaxed), Ordering::Relaxed);
    // Release: whoever reaches the record sees it set up.
    FIRST.store(core::ptr::from_ref(record).cast_mut(), Ordering::Release);
    *count += 1;
    Some(record)
}

/// The record of thread `tid`, if it has one.
pub fn find(tid: u32) -> Option<&'static Mutator> {
    all().find(|record| record.tid.load(Ordering::Acquire) == tid)
}

/// All records, of threads and free ones.
pub fn all() -> impl Iterator<Item = &'static Mutator> {
    from(FIRST.load(Ordering::Acquire))
}

fn from(mut next: *mut Mutator) -> impl Iterator<Item = &'static Mutator> {
    core::iter::from_fn(move || {
        // SAFETY: records are never given back.
        let record = unsafe { next.as_ref() }?;
        next = record.next.load(Ordering::Acquire);
        Some(record)
    })
}

/// How many threads have a record.
pub fn count_alive() -> usize {
    all().filter(|record| record.is_alive()).count()
}

/// Makes the list usable in a child process whose other threads are gone.
///
/// # Safety
/// Only one thread runs.
pub unsafe fn reset_after_fork() {
    // SAFETY: by the caller's promise nobody else holds or waits.
    unsafe { RECORDS.reset() };
}
