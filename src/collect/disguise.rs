//! Disguises: addresses that programs keep in another form.
//!
//! | form | the address | who does it | how it is switched on |
//! |---|---|---|---|
//! | at every fourth byte | as it is | packed structures, arrays of `epoll_event` | `step=4` |
//! | with a tag in the high bits | the low bits | boxed numbers, counted pointers of queues without locks | `mask=BITS`, or a [profile](super::profiles) |
//! | before the start of its object | some words further on | arrays that count from one | `before=BYTES` |
//! | mangled by `setjmp` | rotated, and xored with a secret of the process | coroutines that switch by `longjmp` | by itself |
//!
//! The last: glibc mangles the frame pointer and the stack pointer of a jump buffer, of which the first is a register like
//! any other in optimised code. Where one of them lies in the heap when `setjmp` is called, the malloc door notes in what
//! kind of place the buffer is ([`MANGLED`]), and such places are searched for that form from then on.
//!
//! Where a tag leaves fewer bits than an address has, what is missing is as in the heap's addresses.
//!
//! Packed structures of twelve bytes are looked for without that option, too, in large objects of as many times twelve bytes.
//!
//! While nothing is disguised this costs a comparison for each range of roots and nothing for an object. Else every object
//! takes the slow way of those that are larger than a piece, and each of its words is tried in each form.
//!
//! Holds:   words as they are are tried, too, whatever the options.
//! Threads: options are set, and places noted, at any time by any thread; each collection goes by what it finds as it begins.

use super::{
    item,
    roots::blind::{Place, is_blind},
};
use crate::{
    base::{
        addr::{Ambiguous, Range},
        sync::{AtomicU8, AtomicUsize, Ordering},
    },
    heap::resolve::Slot,
    os::{jump, mem},
};

const WORD: usize = size_of::<usize>();

/// Where it may lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Where {
    /// On a stack, or in a register.
    Stack = 1,
    /// In another root.
    Root = 2,
    /// In an object.
    Object = 4,
}

/// A bit for each [`Where`] that has a jump buffer with an address of the heap. Relaxed: the thread that sets it is stopped
/// before a collection looks, or collects itself.
pub static MANGLED: AtomicU8 = AtomicU8::new(0);

/// Bytes from one word to the next; bits of a word that are an address, by option and by profile; bytes that an address may
/// lie before its object. Relaxed: as of `MANGLED`.
static STEP: AtomicUsize = AtomicUsize::new(WORD);
static MASK: AtomicUsize = AtomicUsize::new(NO_OPTION);
static MASK_OF_PROFILES: AtomicUsize = AtomicUsize::new(ALL_BITS);
static BEFORE: AtomicUsize = AtomicUsize::new(0);

const NO_OPTION: usize = 0;
const ALL_BITS: usize = usize::MAX;

/// The most that `before` takes.
const BEFORE_MAX: usize = 256;

/// Looks at every fourth byte, or at every eighth. `false`: there is no such step.
pub fn set_step(bytes: usize) -> bool {
    let is_known = bytes == WORD || bytes == WORD / 2;
    if is_known {
        STEP.store(bytes, Ordering::Relaxed);
    }
    is_known
}

/// Tries the low bits of each word, too; 0: does not, whatever a profile says. `false`: no tag leaves so few or so many.
pub fn set_mask(bits: u32) -> bool {
    let is_known = bits == 0 || (32..64).contains(&bits);
    if is_known {
        MASK.store(if bits == 0 { ALL_BITS } else { (1 << bits) - 1 }, Ordering::Relaxed);
    }
    is_known
}

/// Tries at most so many low bits of each word, too, unless an option says how many. `false`: that was so before.
pub fn narrow_mask(bits: u32) -> bool {
    let mask = (1 << bits) - 1;
    MASK.load(Ordering::Relaxed) == NO_OPTION && MASK_OF_PROFILES.fetch_min(mask, Ordering::Relaxed) > mask
}

fn mask() -> usize {
    match MASK.load(Ordering::Relaxed) {
        NO_OPTION => MASK_OF_PROFILES.load(Ordering::Relaxed),
        mask => mask,
    }
}

/// Tries what lies up to so many bytes behind an address, too, a word at a time. `false`: too far.
pub fn set_before(bytes: usize) -> bool {
    if bytes <= BEFORE_MAX {
        BEFORE.store(bytes, Ordering::Relaxed);
    }
    bytes <= BEFORE_MAX
}

/// What is tried in one kind of place. The same throughout a collection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Forms {
    step: usize,
    mask: usize,
    before: usize,
    is_mangled: bool,
}

impl Forms {
    /// Words as they are.
    pub const PLAIN: Forms = Forms { step: WORD, mask: ALL_BITS, before: 0, is_mangled: false };

    /// What is tried in such a place in a collection that begins now.
    pub fn of(place: Where) -> Forms {
        Forms {
            step: STEP.load(Ordering::Relaxed),
            mask: mask(),
            before: BEFORE.load(Ordering::Relaxed),
            is_mangled: MANGLED.load(Ordering::Relaxed) & place as u8 != 0 && !is_blind(Place::Mangled),
        }
    }

    /// The same at every fourth byte.
    pub fn packed(self) -> Forms {
        Forms { step: WORD / 2, ..self }
    }

    /// What is tried in the object of a slot.
    pub fn of_object(slot: &Slot) -> Forms {
        let forms = Forms::of(Where::Object);
        if may_be_packed(slot) { forms.packed() } else { forms }
    }

    /// Whether there is more to try than words as they are.
    pub fn are_disguised(self) -> bool {
        self != Forms::PLAIN
    }

    /// Visits the addresses that a word may stand for, if they lie `within`.
    #[inline]
    fn of_word(self, word: usize, within: Range, mut visit: impl FnMut(usize)) {
        let mut plain = |word: usize| {
            visit(word);
            for distance in (WORD..=self.before).step_by(WORD) {
                visit(word.wrapping_add(distance));
            }
        };
        plain(word);
        if self.mask != ALL_BITS {
            let [first, last] = [within.start, within.end].map(|end| end.get() & !self.mask);
            // Once, unless the heap lies across a border of that size.
            let addresses = (first..=last).step_by(self.mask + 1).map(|high| high | word & self.mask);
            addresses.filter(|&address| address != word).for_each(plain);
        }
        if self.is_mangled {
            visit(jump::demangle(word).get());
        }
    }

    /// Visits the addresses in `range` that lie in `within` or one past its end, in any of the forms. At every byte, if
    /// `at_any_byte`, and else at every step.
    ///
    /// # Safety
    /// The range may be read.
    pub unsafe fn words(self, range: Range, at_any_byte: bool, within: Range, mut visit: impl FnMut(Ambiguous)) {
        let step = if at_any_byte { 1 } else { self.step };
        let mut at = if at_any_byte { range.start } else { range.start.align_up(step) };
        while range.end.get().saturating_sub(at.get()) >= WORD {
            // SAFETY: by the caller's promise.
            let word = unsafe { mem::load_word_at_any_byte(at) };
            self.of_word(word, within, |address| {
                if address.wrapping_sub(within.start.get()) <= within.bytes() {
                    visit(Ambiguous(address));
                }
            });
            at = at + step;
        }
    }
}

/// Whether the size of a slot's object suggests packed structures.
pub fn may_be_packed(slot: &Slot) -> bool {
    slot.may_hold_packed() && !is_blind(Place::Packed)
}

/// What is tried where.
#[derive(Clone, Copy)]
pub struct Disguises {
    /// On stacks and in registers.
    pub stack: Forms,
    /// In other roots.
    pub root: Forms,
    /// In objects.
    pub object: Forms,
}

impl Disguises {
    /// Words as they are, everywhere.
    pub const NONE: Disguises = Disguises { stack: Forms::PLAIN, root: Forms::PLAIN, object: Forms::PLAIN };

    /// As it is now. If objects have disguises, each takes the slow way from here on.
    pub fn of_now() -> Disguises {
        let now = Disguises {
            stack: Forms::of(Where::Stack),
            root: Forms::of(Where::Root),
            object: Forms::of(Where::Object),
        };
        if now.object.are_disguised() {
            item::let_none_be_short();
        }
        now
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::base::addr::Addr;
    use std::vec::Vec;

    fn found(forms: Forms, words: &[usize], at_any_byte: bool) -> Vec<usize> {
        let within = Range::new(Addr::new(0x10_0000), Addr::new(0x20_0000));
        let mut found = Vec::new();
        let range = Range::sized(Addr::of(words.as_ptr()), size_of_val(words));
        // SAFETY: of the slice.
        unsafe { forms.words(range, at_any_byte, within, |word| found.push(word.0)) };
        found
    }

    #[test]
    fn each_form_is_found_and_nothing_is_when_it_is_not_asked_for() {
        let tagged = 0x12_3456 | 0xfffc << 48;
        let before = 0x10_0000 - 8;
        let straddling = [0x12_3450 << 32, 0];
        let mangled = jump::mangle(Addr::new(0x15_0000));
        let short = 0x5_6789 | 0xfff << 20;
        for (forms, words, expected) in [
            (Forms { mask: (1 << 48) - 1, ..Forms::PLAIN }, &[tagged, 0x11_0000][..], &[0x12_3456, 0x11_0000][..]),
            (Forms { mask: (1 << 20) - 1, ..Forms::PLAIN }, &[short], &[0x15_6789]),
            (Forms { mask: (1 << 19) - 1, ..Forms::PLAIN }, &[short], &[0x15_6789, 0x1d_6789]),
            (Forms { before: 8, ..Forms::PLAIN }, &[before], &[0x10_0000]),
            (Forms { step: 4, ..Forms::PLAIN }, &straddling, &[0x12_3450]),
            (Forms { is_mangled: true, ..Forms::PLAIN }, &[mangled], &[0x15_0000]),
        ] {
            assert_eq!(found(forms, words, false), expected);
        }
        assert_eq!(found(Forms::PLAIN, &[tagged, before, straddling[0], straddling[1], mangled], false), []);
        assert_eq!(found(Forms::PLAIN, &straddling, true), [0x12_3450]);
    }

    #[test]
    fn what_no_address_is_like_is_refused() {
        assert!(!set_step(3) && !set_step(0) && !set_mask(16) && !set_mask(64) && !set_before(BEFORE_MAX + 1));
    }
}
