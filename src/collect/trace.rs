//! Tracing: the words of an object that may be pointers, as its kind says.

use super::{disguise::Forms, fibers, undeclared};
use crate::{
    base::{
        addr::{Addr, Ambiguous, Range},
        sync::{AtomicBool, AtomicPtr, Ordering},
    },
    heap::{cage, mutator, resolve::Slot},
    os::mem,
};

const WORD: usize = size_of::<usize>();

/// Who is told what a procedure of the program finds.
pub trait Sink {
    /// `word` may be a pointer.
    fn word(&mut self, word: Ambiguous);

    /// Each aligned word of a range may be one.
    ///
    /// # Safety
    /// The range may be read.
    unsafe fn words(&mut self, range: Range) {
        // SAFETY: by the caller's promise.
        unsafe { words(range, |word| self.word(word)) };
    }

    /// As [`words`](Sink::words), for what is used as a stack.
    ///
    /// # Safety
    /// The range may be read.
    unsafe fn stack(&mut self, range: Range) {
        // SAFETY: by the caller's promise.
        unsafe { self.words(range) };
    }

    /// The object at `object` is to be kept, and not to be scanned unless something else leads to it first.
    fn keep(&mut self, object: Addr) {
        self.word(Ambiguous(object.get()));
    }
}

/// The words of an object: what is found there is what it points to.
struct Visit<F>(F);

impl<F: FnMut(Ambiguous)> Sink for Visit<F> {
    #[inline(always)]
    fn word(&mut self, word: Ambiguous) {
        (self.0)(word);
    }
}

/// What a trace procedure is handed: where to say what it found.
#[repr(C)]
pub struct Tracer<'a> {
    sink: &'a mut dyn Sink,
}

impl Tracer<'_> {
    /// Says that `word` may be a pointer.
    pub fn word(&mut self, word: usize) {
        self.sink.word(Ambiguous(word));
    }

    /// Says that each aligned word of `range` may be a pointer.
    pub fn range(&mut self, range: Range) {
        // SAFETY: the procedure answers for the range being readable: it is part of what it traces.
        unsafe { self.sink.words(range) };
    }

    /// As [`range`](Tracer::range), for what is used as a stack: an address may lie at any byte, and the end of an object
    /// keeps it.
    pub fn stack(&mut self, range: Range) {
        // SAFETY: as above.
        unsafe { self.sink.stack(range) };
    }

    /// Says that the object is to be kept, and not to be scanned unless something else leads to it first.
    pub fn keep(&mut self, object: Addr) {
        self.sink.keep(object);
    }
}

/// The tracer of the procedure that runs; null: none does. Relaxed: only the thread that runs procedures uses it, and hands
/// the right to do so on by the world's lock.
static RUNNING: AtomicPtr<Tracer<'static>> = AtomicPtr::new(core::ptr::null_mut());

/// Runs `work`, which reports to `sink` by the tracer that it is handed, or by [`running`].
pub(super) fn listen(sink: &mut dyn Sink, work: impl FnOnce(*mut Tracer<'_>)) {
    let mut tracer = Tracer { sink };
    let tracer = &raw mut tracer;
    let former = RUNNING.load(Ordering::Relaxed);
    RUNNING.store(tracer.cast(), Ordering::Relaxed);
    work(tracer);
    RUNNING.store(former, Ordering::Relaxed);
}

/// The tracer of the procedure that runs. `None`: none does, and there is nobody to be told.
///
/// # Safety
/// The caller is called by a trace procedure or the push hook, if one runs; and drops this before it calls or returns to it.
pub unsafe fn running<'a>() -> Option<&'a mut Tracer<'a>> {
    let tracer = RUNNING.load(Ordering::Relaxed).cast::<Tracer<'a>>();
    // SAFETY: `listen` waits for the caller, and who has the tracer does not use it meanwhile.
    unsafe { tracer.as_mut() }
}

/// Whether trace procedures may write. Relaxed: set before one runs, asked by who ran it or has the world since.
static MAY_WRITE: AtomicBool = AtomicBool::new(false);

/// Notes that a procedure runs that may write. Those of `gleaner.h` may not; one of `gc.h` may: Guile's clears what it finds
/// dead on a stack of its own, which may have been read as a root by then.
pub fn let_procedures_write() {
    MAY_WRITE.store(true, Ordering::Relaxed);
}

/// See [`let_procedures_write`].
pub(super) fn may_procedures_write() -> bool {
    MAY_WRITE.load(Ordering::Relaxed)
}

/// A trace procedure: the object, its usable bytes, and where to report.
pub type Procedure = unsafe extern "C" fn(*mut core::ffi::c_void, usize, *mut Tracer<'_>);

/// Visits the aligned words of `range`.
///
/// # Safety
/// The range may be read.
#[inline(always)]
pub unsafe fn words(range: Range, mut visit: impl FnMut(Ambiguous)) {
    let mut at = range.start.align_up(WORD);
    let end = range.end.align_down(WORD);
    while at < end {
        // SAFETY: by the caller's promise; aligned above.
        visit(Ambiguous(unsafe { mem::load_word(at) }));
        at = at + WORD;
    }
}

/// Visits the words of `range`, at whatever byte they begin.
///
/// # Safety
/// The range may be read, and nobody writes there meanwhile.
pub unsafe fn words_at_any_byte(range: Range, mut visit: impl FnMut(Ambiguous)) {
    let mut at = range.start;
    while range.end.get().saturating_sub(at.get()) >= WORD {
        // SAFETY: by the caller's promise.
        visit(Ambiguous(unsafe { mem::load_word_at_any_byte(at) }));
        at = at + 1;
    }
}

/// Visits the words of an object in use that may be pointers. Ephemerons and weak objects have none of their own:
/// see `ephemeron` and `weak_object`.
#[inline(always)]
pub fn children(slot: &Slot, mut visit: impl FnMut(Ambiguous)) {
    declared_children(slot, &mut visit);
    undeclared::children(slot, visit);
}

/// As [`children`], without the words that are read though the kind says that there is no pointer.
#[inline(always)]
pub fn declared_children(slot: &Slot, visit: impl FnMut(Ambiguous)) {
    let traits = slot.class().kind().traits();
    if traits.is_conservative() {
        let (range, forms) = (Range::sized(slot.start(), slot.bytes()), Forms::of_object(slot));
        if forms.are_disguised() {
            // SAFETY: the slot is in use, so its bytes are committed.
            return unsafe { forms.words(range, false, cage::hull(), visit) };
        }
        // SAFETY: as above.
        unsafe { words(range, visit) };
    } else if traits.is_typed() {
        layout::children(slot, visit);
    } else if traits.is_fiber() {
        fibers::children(slot, visit);
    } else if traits.is_traced() {
        let procedure = slot.class().kind().trace_procedure();
        listen(&mut Visit(visit), |tracer| {
            // SAFETY: a kind was made of a procedure of this type, and the object is in use and was zeroed at birth.
            unsafe {
                let procedure = core::mem::transmute::<usize, Procedure>(procedure);
                mutator::forbid(|| procedure(slot.start().as_ptr(), slot.usable_bytes(), tracer));
            }
        });
    }
}

/// Layouts: which words of a typed object may be pointers.
///
/// A layout is one word, kept at the end of the slot. Odd: its other 63 bits are the map of the first 63 words. Even and
/// not zero: the address of a longer map outside the heap, which is never given back. Zero: no pointers.
pub mod layout {
    use super::{Ambiguous, Slot, WORD};
    use crate::{
        base::{addr::Addr, bits},
        os::mem,
    };

    const INLINE_WORDS: usize = 63;

    /// A longer map: the number of words, then a bit for each.
    #[repr(C)]
    struct Long {
        words: usize,
    }

    /// The layout for a map of `words` words, 64 to an element. `None`: no memory for a long one.
    pub fn from_bitmap(bitmap: &[u64], words: usize) -> Option<usize> {
        let last = (0..words).rev().find(|word| bitmap[word / 64] >> (word % 64) & 1 == 1);
        match last {
            None => Some(1),
            Some(last) if last < INLINE_WORDS => Some((bitmap[0] << 1) as usize | 1),
            Some(last) => long(bitmap, last + 1),
        }
    }

    /// A layout outside the heap for the first `words` words of a map. `None`: no memory.
    pub fn long(bitmap: &[u64], words: usize) -> Option<usize> {
        let elements = words.div_ceil(64);
        let start = mem::map(size_of::<Long>() + elements * 8)?;
        // SAFETY: mapped just now, large enough for both parts.
        unsafe {
            start.as_ptr::<Long>().write(Long { words });
            let map = (start + size_of::<Long>()).as_ptr::<u64>();
            core::ptr::copy_nonoverlapping(bitmap.as_ptr(), map, elements);
        }
        Some(start.get())
    }

    /// Writes the layout to the end of a new object.
    pub fn set(slot: &Slot, layout: usize) {
        // SAFETY: the last word of a typed slot is ours.
        unsafe { (slot.start() + (slot.bytes() - WORD)).as_ptr::<usize>().write_volatile(layout) };
    }

    /// The layout of an object in use.
    pub fn get(slot: &Slot) -> usize {
        // SAFETY: the last word of a typed slot in use is zero or a layout.
        unsafe { (slot.start() + (slot.bytes() - WORD)).as_ptr::<usize>().read_volatile() }
    }

    /// Visits the words that the object's layout names.
    #[inline(always)]
    pub fn children(slot: &Slot, visit: impl FnMut(Ambiguous)) {
        // SAFETY: the words of an object in use, before its layout.
        unsafe { words(get(slot), slot.start(), slot.bytes() / WORD - 1, visit) };
    }

    /// Visits those of `words` words from `start` on that a layout names.
    ///
    /// # Safety
    /// They may be read, and the layout was made here.
    #[inline(always)]
    pub unsafe fn words(layout: usize, start: Addr, words: usize, mut visit: impl FnMut(Ambiguous)) {
        let mut visit_word = |index: usize| {
            if index < words {
                // SAFETY: by the caller's promise.
                visit(Ambiguous(unsafe { (start + index * WORD).as_ptr::<usize>().read_volatile() }));
            }
        };
        if layout & 1 == 1 {
            bits::for_each_bit((layout >> 1) as u64, visit_word);
        } else if layout != 0 {
            // SAFETY: an even layout is the address of a map made by `long`, which lives for ever.
            unsafe {
                let count = (*Addr::new(layout).as_ptr::<Long>()).words;
                let map = (Addr::new(layout) + size_of::<Long>()).as_ptr::<u64>();
                for element in 0..count.div_ceil(64) {
                    bits::for_each_bit(*map.add(element), |bit| visit_word(element * 64 + bit));
                }
            }
        }
    }
}
