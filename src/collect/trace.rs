//! Tracing: the words of an object that may be pointers, as its kind says.

use super::{disguise::Forms, fibers};
use crate::{
    base::addr::{Ambiguous, Range},
    heap::{cage, mutator, resolve::Slot},
    os::mem,
};

const WORD: usize = size_of::<usize>();

/// What a trace procedure is handed: where to say what it found.
#[repr(C)]
pub struct Tracer<'a> {
    visit: &'a mut dyn FnMut(Ambiguous),
}

impl Tracer<'_> {
    /// Says that `word` may be a pointer.
    pub fn word(&mut self, word: usize) {
        (self.visit)(Ambiguous(word));
    }

    /// Says that each aligned word of `range` may be a pointer.
    pub fn range(&mut self, range: Range) {
        // SAFETY: the procedure answers for the range being readable: it is part of what it traces.
        unsafe { words(range, |word| (self.visit)(word)) };
    }
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
        let mut tracer = Tracer { visit: &mut visit };
        // SAFETY: `gc_kind_new` took a procedure of this type, and the object is in use and was zeroed at birth.
        unsafe {
            let procedure = core::mem::transmute::<usize, Procedure>(procedure);
            mutator::forbid(|| procedure(slot.start().as_ptr(), slot.usable_bytes(), &mut tracer));
        }
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
            Some(last) => {
                let elements = last / 64 + 1;
                let start = mem::map(size_of::<Long>() + elements * 8)?;
                // SAFETY: mapped just now, large enough for both parts.
                unsafe {
                    start.as_ptr::<Long>().write(Long { words: last + 1 });
                    let map = (start + size_of::<Long>()).as_ptr::<u64>();
                    core::ptr::copy_nonoverlapping(bitmap.as_ptr(), map, elements);
                }
                Some(start.get())
            }
        }
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
    pub fn children(slot: &Slot, mut visit: impl FnMut(Ambiguous)) {
        let words = slot.bytes() / WORD - 1;
        let layout = get(slot);
        let mut visit_word = |index: usize| {
            if index < words {
                // SAFETY: within the slot.
                visit(Ambiguous(unsafe { (slot.start() + index * WORD).as_ptr::<usize>().read_volatile() }));
            }
        };
        if layout & 1 == 1 {
            bits::for_each_bit((layout >> 1) as u64, visit_word);
        } else if layout != 0 {
            // SAFETY: an even layout is the address of a map made by `from_bitmap`, which lives for ever.
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
