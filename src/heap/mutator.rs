//! Mutators: the record of a thread that uses the heap.
//!
//! A record holds a thread's magazines, its gate, and what a collector must know to stop it and find its stack. Records
//! are mapped from the system and never given back: a thread's record may be read by a collector, by its late
//! destructors, or by a signal handler at any time. A record whose thread is gone is used again.
//!
//! A record has room for the magazines of all classes, of which a thread uses a few. So records lie side by side, and not
//! each in pages of its own: what one has at its end and the next at its start, which is all that most threads touch,
//! share a page. Who visits a record's magazines asks it first which classes have one.
//!
//! ```text
//!   free --register--> alive --(the tid is gone)--> given up: magazines flushed --> free
//! ```
//!
//! A thread never takes itself off the list: its TLS destructors, the rounds of other keys and libc's own clean-up run
//! after ours, and free memory. So a record is given up by whoever finds that its thread is no more: a collection, or a
//! thread that begins.
//!
//! A thread without a record has a null word in its TLS: all its operations take the slow path, which registers.

use super::{
    fiber, gate,
    kind::{KINDS_MAX, Kind},
    late::Late,
    magazine::Magazine,
    region, resolve,
    units::{CLASS_WORDS, Class},
};
use crate::{
    base::{
        addr::{Addr, Range},
        bits,
        sync::{AtomicI64, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
    os::{
        lock::{Lock, Rank},
        mem, signal, stack, sys, thread, tls,
    },
};
use core::{cell::UnsafeCell, mem::offset_of};

/// See the module's documentation. The magazines come first: the fast paths find them at the TLS word itself.
#[repr(C)]
pub struct Mutator {
    magazines: [Magazine; CLASS_WORDS],
    /// A bit for each kind that has a magazine with an array, and then for each of its classes. Only the owner writes.
    kinds_used: AtomicU64,
    /// See `kinds_used`.
    classes_used: [AtomicU64; KINDS_MAX],
    /// The gate: not zero while the thread runs a slow path, or collects.
    pub inside: AtomicU32,
    /// The kernel's id of the thread; zero while the record is free.
    pub tid: AtomicU32,
    /// Not zero in a safe region: see [`gate::IN_REGION`] and its kin.
    pub region: AtomicU32,
    /// The stop that asked this thread last, and the one that it has answered last.
    pub requested: AtomicU32,
    /// See `requested`.
    pub stopped: AtomicU32,
    /// Not zero when the stop signal does not reach the thread, so that it is asked by the reserve signal.
    pub is_deaf: AtomicU32,
    /// How many system calls of the thread's the stop signal alone has cut short. Only the thread uses it.
    pub calls_cut_short: AtomicU32,
    /// How many handlers of the program's have run on the thread that came by the malloc door's gateway. Only the thread
    /// uses it.
    pub handlers_run: AtomicU32,
    /// The stack pointer at the start of the safe region.
    pub region_sp: AtomicUsize,
    /// The frame that opened the program's safe region: what runs inside lies below it on the stack.
    pub region_frame: AtomicUsize,
    /// The finalizer of `gleaner.h` that runs on this thread.
    pub finalizing: Callback,
    /// Not zero while the thread runs destructors of handles' values. Only the thread uses it.
    pub is_dropping: AtomicU32,
    /// The class that the thread was refused units for, because a collection is due before the heap grows; zero: none.
    /// The thread uses it, and who has stopped the world.
    pub refused_class: AtomicU32,
    /// The listener that runs on this thread.
    pub listening: Callback,
    /// A thread that did not stop for a collection of this one's, until somebody has been told; zero for none.
    pub silent_thread: AtomicU32,
    /// The thread pointer of the thread that had the record before, until a collection has taken note of it.
    pub former_thread_pointer: AtomicUsize,
    /// Not zero when the collector found the thread in a safe region and not in its stop handler.
    pub stands_in_region: AtomicU32,
    /// The stack pointer that the collector found there when it looked first; zero: it has not looked since the stop.
    pub stood_at: AtomicUsize,
    /// The context of the code that the stop signal interrupted.
    pub context: AtomicUsize,
    /// The thread pointer, the lowest address of the stack and its cold end, as far as known.
    pub thread_pointer: AtomicUsize,
    /// See `thread_pointer`.
    pub stack_start: AtomicUsize,
    /// See `thread_pointer`.
    pub stack_end: AtomicUsize,
    /// Where its alternate stack for signals begins, as far as known; zero for none.
    pub alternate_stack: AtomicUsize,
    /// Bytes of its alternate stack.
    pub alternate_stack_bytes: AtomicUsize,
    /// Where the frame of its last stop lies that was not on its own stack; zero: there was none.
    pub stop_frame: AtomicUsize,
    /// Bytes of that frame.
    pub stop_frame_bytes: AtomicUsize,
    /// A sum of what the frame held.
    pub stop_frame_sum: AtomicU64,
    /// Its own stack as a fiber, and the fiber that it runs.
    pub fibers: fiber::OfThread,
    /// Net bytes allocated since they were last added to the heap's counter.
    pub net_bytes: AtomicI64,
    /// Bytes handed out to this record's magazines and taken back by hand, in all its lives.
    pub allocated_bytes: AtomicU64,
    /// See `allocated_bytes`.
    pub freed_bytes: AtomicU64,
    /// What `allocated_bytes` was at the last collection, and the number of the last one before which it had grown by much.
    /// Who holds the world uses them.
    pub allocated_before: AtomicU64,
    /// See `allocated_before`.
    pub busy_before: AtomicU64,
    /// Bytes that the magazines may hold together.
    pub(super) cached_limit_bytes: UnsafeCell<usize>,
    /// Freed slots that wait: only under memcheck.
    pub(super) late: Late,
    /// Where the next magazine's array is cut from.
    pub(super) arrays: UnsafeCell<Range>,
    next: AtomicPtr<Mutator>,
}

// The class numbered n has its magazine at n times 32, as `gleaner_inline.h` has it.
const _: () = assert!(offset_of!(Mutator, magazines) == 0);

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
        // Asked of the kernel: the frame may have been on a stack that is not mapped any more.
        sys::holds(word, self.token.load(Ordering::Relaxed))
    }
}

/// The list of all records ever made. Pushed to under the lock; followed by anybody.
static FIRST: AtomicPtr<Mutator> = AtomicPtr::new(core::ptr::null_mut());
/// Guards the list, and has the memory that records and their arrays are cut from.
static RECORDS: Lock<Range> = Lock::new(Rank::Threads, Range { start: Addr::NULL, end: Addr::NULL });
/// The first slabs are for one thread each; a process that has more than a few of them gets larger ones.
const SLAB_BYTES_FIRST: usize = 192 << 10;
const FIRST_SLABS: usize = 4;
const SLAB_BYTES: usize = 512 << 10;
/// What is cut begins with a pair of cache lines: threads side by side write to no line together.
const CUT_ALIGN: usize = 128;

impl Mutator {
    /// The magazine for a class.
    #[inline(always)]
    pub fn magazine(&self, class: Class) -> &Magazine {
        &self.magazines[class.index()]
    }

    /// The class whose magazine is at `address`, if that is one of this record's.
    pub fn class_of_magazine(&self, address: Addr) -> Option<Class> {
        let offset = address.get().wrapping_sub(core::ptr::from_ref(self) as usize);
        let is_one = offset < size_of_val(&self.magazines) && offset.is_multiple_of(size_of::<Magazine>());
        is_one.then(|| Class::from_index(offset / size_of::<Magazine>()))
    }

    /// Visits the slots that magazines hold, and those that wait.
    ///
    /// # Safety
    /// The caller is the owner in its gate, or the owner is stopped or gone.
    pub unsafe fn for_each_cached(&self, mut visit: impl FnMut(Class, &[usize])) {
        self.for_each_class_used(|class| {
            // SAFETY: by the caller's promise.
            let cached = unsafe { self.magazine(class).cached() };
            if !cached.is_empty() {
                visit(class, cached);
            }
        });
        // SAFETY: by the caller's promise.
        for &slot in unsafe { self.late.slots() } {
            if let Some(slot) = resolve::locate(Addr::new(slot)) {
                visit(slot.class(), &[slot.start().get()]);
            }
        }
    }

    /// Visits the slots that magazines hold. Beside a running owner they are of a moment, and some may be wrong by then.
    pub fn for_each_cached_of_moment(&self, mut visit: impl FnMut(usize)) {
        self.for_each_class_used(|class| self.magazine(class).for_each_of_moment(&mut visit));
    }

    /// Visits the classes that have slots in a magazine, with how many. Beside a running owner the counts are of a moment.
    pub fn count_cached(&self, mut visit: impl FnMut(Class, usize)) {
        self.for_each_class_used(|class| {
            let count = self.magazine(class).count();
            if count != 0 {
                visit(class, count);
            }
        });
    }

    /// Notes that the class's magazine gets its first array. The caller is the owner in its gate.
    pub(super) fn note_used(&self, class: Class) {
        let (kind, size_class) = (class.kind().number() as usize, class.size_class());
        // Relaxed: only the owner writes, and whoever has stopped it sees what it wrote.
        let classes = self.classes_used[kind].load(Ordering::Relaxed);
        self.classes_used[kind].store(classes | 1 << size_class, Ordering::Relaxed);
        let kinds = self.kinds_used.load(Ordering::Relaxed);
        self.kinds_used.store(kinds | 1 << kind, Ordering::Relaxed);
    }

    /// Visits the classes whose magazines have had an array, in any of the record's lives.
    pub(super) fn for_each_class_used(&self, mut visit: impl FnMut(Class)) {
        // Relaxed: the owner has stopped or is the caller, or what is read is of a moment.
        bits::for_each_bit(self.kinds_used.load(Ordering::Relaxed), |kind| {
            let classes = self.classes_used[kind].load(Ordering::Relaxed);
            bits::for_each_bit(classes, |size_class| visit(Class::small(Kind::from_number(kind as u8), size_class)));
        });
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
        self.fibers.forget(self.tid.load(Ordering::Relaxed));
        self.tid.store(0, Ordering::Release);
    }

    /// Makes the record a new thread's.
    fn claim_for(&self, tid: u32) {
        self.region.store(0, Ordering::Relaxed);
        self.requested.store(0, Ordering::Relaxed);
        self.stopped.store(0, Ordering::Relaxed);
        self.is_deaf.store(0, Ordering::Relaxed);
        self.finalizing.end();
        self.is_dropping.store(0, Ordering::Relaxed);
        self.listening.end();
        self.silent_thread.store(0, Ordering::Relaxed);
        self.context.store(0, Ordering::Relaxed);
        self.thread_pointer.store(0, Ordering::Relaxed);
        self.set_stack(Range::default());
        self.alternate_stack.store(0, Ordering::Relaxed);
        self.stop_frame.store(0, Ordering::Relaxed);
        self.inside.store(0, Ordering::Relaxed);
        self.tid.store(tid, Ordering::Release);
    }
}

/// This thread's record, if it has one and is in no safe region.
#[inline(always)]
pub fn current() -> Option<&'static Mutator> {
    // SAFETY: the TLS word is null or this thread's record, and records live for ever.
    unsafe { tls::record::<Mutator>().as_ref() }
}

/// This thread's record, if it has one, also while it is hidden.
pub fn current_or_hidden() -> Option<&'static Mutator> {
    // SAFETY: as in `current_or_empty`.
    current().or_else(|| unsafe { tls::hidden_record::<Mutator>().as_ref() })
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
#[unsafe(link_section = ".text.hot")]
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
        // A record that was free has none: who gave it up took note.
        if former != 0 {
            mutator.former_thread_pointer.store(former, Ordering::Relaxed);
            mutator.fibers.forget(mutator.tid.load(Ordering::Relaxed));
            mutator.alternate_stack.store(0, Ordering::Relaxed);
        }
        mutator.set_stack(Range::default());
    }
    mutator.finalizing.end();
    mutator.is_dropping.store(0, Ordering::Relaxed);
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
    let mut slab = RECORDS.lock();
    if let Some(known) = find(tid) {
        return Some(known);
    }
    if all().any(Mutator::is_alive) {
        region::note_second_thread();
    }
    if let Some(free) = all().find(|record| !record.is_alive()) {
        free.claim_for(tid);
        return Some(free);
    }
    let record = cut(&mut slab, size_of::<Mutator>())?.as_ptr::<Mutator>();
    // SAFETY: cut just now, zero, large enough, never given back; all-zero bytes are a valid record.
    let record: &'static Mutator = unsafe { &*record };
    record.claim_for(tid);
    record.next.store(FIRST.load(Ordering::Relaxed), Ordering::Relaxed);
    // Release: whoever reaches the record sees it set up.
    FIRST.store(core::ptr::from_ref(record).cast_mut(), Ordering::Release);
    Some(record)
}

/// Cuts `bytes` off the slab, of zeroes and for good; a used-up slab is replaced.
fn cut(slab: &mut Range, bytes: usize) -> Option<Addr> {
    let bytes = bytes.next_multiple_of(CUT_ALIGN);
    if slab.bytes() < bytes {
        let wanted = if all().count() < FIRST_SLABS { SLAB_BYTES_FIRST } else { SLAB_BYTES };
        // Where address space is short, no more than is needed now.
        let mut sizes = [wanted.max(bytes), bytes].into_iter();
        *slab = sizes.find_map(|size| Some(Range::sized(mem::map(size)?, size)))?;
    }
    let start = slab.start;
    slab.start = start + bytes;
    Some(start)
}

/// Memory for a record's arrays. The caller is in its gate.
pub(super) fn cut_for_arrays(bytes: usize) -> Option<Range> {
    let bytes = bytes.next_multiple_of(CUT_ALIGN);
    cut(&mut RECORDS.lock(), bytes).map(|start| Range::sized(start, bytes))
}

/// Runs `work` while no record gets an owner. The caller has all signals blocked.
pub fn with_owners_fixed<R>(work: impl FnOnce() -> R) -> R {
    let _list = RECORDS.lock();
    work()
}

/// The calling thread is about to make another, which may want to stop it in the next call it makes.
pub fn expect_thread() {
    if !region::has_threads() {
        let mask = signal::block_all();
        with_owners_fixed(region::note_second_thread);
        signal::set_mask(mask);
    }
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
    // Another thread may have been about to replace the slab.
    *RECORDS.lock() = Range::default();
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn new() -> Callback {
        Callback { word: AtomicUsize::new(0), token: AtomicUsize::new(0) }
    }

    /// The address of something below the caller's frame.
    #[inline(never)]
    fn below() -> usize {
        let here = 0usize;
        core::hint::black_box(core::ptr::from_ref(&here)).addr()
    }

    #[test]
    fn a_callback_runs_until_its_end_for_whom_it_has_called() {
        let (callback, mut word) = (new(), 0);
        assert!(!callback.is_running(below()));
        callback.begin(&mut word);
        assert!(callback.is_running(below()));
        assert!(!callback.is_running(core::ptr::from_ref(&word).addr() + 64), "its frame was left");
        callback.end();
        assert!(!callback.is_running(below()));
    }

    #[test]
    fn a_callback_that_was_jumped_out_of_has_its_word_overwritten() {
        let (callback, mut word) = (new(), 0);
        callback.begin(&mut word);
        for half in [1usize, 1 << 40] {
            let token = word;
            word ^= half;
            core::hint::black_box(&mut word);
            assert!(!callback.is_running(below()));
            word = token;
            core::hint::black_box(&mut word);
            assert!(callback.is_running(below()));
        }
    }

    #[test]
    fn a_callback_on_a_stack_that_is_gone_does_not_run() {
        const BYTES: usize = 1 << 16;
        let stack = mem::map(BYTES).expect("room for a stack");
        let callback = new();
        // SAFETY: mapped just now, and nobody else's.
        callback.begin(unsafe { &mut *stack.as_ptr::<usize>() });
        assert!(callback.is_running(stack.get() - 64));
        mem::release(stack, BYTES);
        assert!(!callback.is_running(stack.get() - 64));
    }
}
