//! Descriptors: the word that says which words of an object may be pointers.
//!
//! ```text
//!   bytes, a multiple of 4                       | 00    LENGTH      the words before that many bytes
//!   word 0, word 1, ...                 (62 bits)| 01    BITMAP      the words whose bits are set, from the top
//!   what the procedure is passed       | 6 bits  | 10    PROC        what a mark procedure pushes, by its index
//!   offset in the object, or less than 0         | 11    PER_OBJECT  what the word there says; less than 0: in a table
//!                                                                    that the first word leads to
//! ```
//!
//! The layout of the word is part of the interface: `gc_mark.h` has macros that make it.
//!
//! Longer bitmaps are PROC with the index of a procedure of ours; what it is passed is the address of the engine's layout,
//! which lives for ever.

use crate::marking;
use gleaner::{
    base::addr::{Addr, Range},
    collect::trace::{Tracer, layout},
};

const WORD: usize = size_of::<usize>();

pub const LENGTH: usize = 0;
pub const BITMAP: usize = 1;
pub const PROC: usize = 2;
pub const PER_OBJECT: usize = 3;
const TAG: usize = 3;
const TAG_BITS: u32 = 2;
const INDEX_BITS: u32 = 6;
/// The index of the procedure that reads a layout of the engine's.
const OF_LAYOUT: usize = 1;
/// Words that a bitmap has room for.
pub const BITMAP_WORDS: usize = 62;
/// What a descriptor for a table that the first word leads to is off by.
const INDIRECT_BIAS: isize = 0x10;

pub const fn tag(descriptor: usize) -> usize {
    descriptor & TAG
}

/// The descriptor that has mark procedure `index` called with `environment`.
pub const fn of_procedure(index: usize, environment: usize) -> usize {
    (environment << INDEX_BITS | index) << TAG_BITS | PROC
}

/// The descriptor for a layout of the engine's that lies outside the heap.
pub const fn of_layout(layout: usize) -> usize {
    of_procedure(OF_LAYOUT, layout)
}

/// The layout that says the same as a descriptor, if it is one that says which words, and short enough.
pub fn to_layout(descriptor: usize) -> Option<usize> {
    match tag(descriptor) {
        LENGTH if descriptor / WORD <= BITMAP_WORDS => Some(((1 << (descriptor / WORD)) - 1) << 1 | 1),
        BITMAP => Some((descriptor & !TAG).reverse_bits() << 1 | 1),
        PROC if index(descriptor) == OF_LAYOUT => Some(environment(descriptor)),
        _ => None,
    }
}

fn index(descriptor: usize) -> usize {
    descriptor >> TAG_BITS & ((1 << INDEX_BITS) - 1)
}

fn environment(descriptor: usize) -> usize {
    descriptor >> (TAG_BITS + INDEX_BITS)
}

/// Tells `tracer` what the descriptor says of `object`, of which `bytes` may be read.
///
/// # Safety
/// They may be read, the descriptor is one that the program has made for such objects, and the tracer is that of the
/// procedure that calls this: mark procedures use it, too.
pub unsafe fn push(object: Addr, bytes: usize, descriptor: usize, tracer: *mut Tracer<'_>) {
    match tag(descriptor) {
        LENGTH => {
            // SAFETY: by the caller's promise.
            unsafe { (*tracer).range(Range::sized(object, descriptor.min(bytes))) };
        }
        BITMAP => {
            let mut bits = descriptor & !TAG;
            while bits != 0 {
                let word = bits.leading_zeros() as usize;
                bits &= !(1 << (usize::BITS as usize - 1 - word));
                if (word + 1) * WORD <= bytes {
                    // SAFETY: by the caller's promise.
                    unsafe { (*tracer).word(load(object, word * WORD)) };
                }
            }
        }
        PROC if index(descriptor) == OF_LAYOUT => {
            // SAFETY: a layout that `GC_make_descriptor` made, and by the caller's promise.
            unsafe { layout::words(environment(descriptor), object, bytes / WORD, |word| (*tracer).word(word.0)) };
        }
        // SAFETY: by the caller's promise.
        PROC => unsafe { marking::call(index(descriptor), object, environment(descriptor)) },
        _ => {
            // SAFETY: by the caller's promise.
            let described = unsafe { of_object(object, descriptor) };
            // One that leads to another of its sort would lead on for ever.
            if described != 0 && tag(described) != PER_OBJECT {
                // SAFETY: by the caller's promise.
                unsafe { push(object, bytes, described, tracer) };
            }
        }
    }
}

/// The descriptor that a PER_OBJECT one leads to; zero: none is there yet.
///
/// # Safety
/// As for [`push`].
unsafe fn of_object(object: Addr, descriptor: usize) -> usize {
    let offset = descriptor as isize;
    if offset >= 0 {
        // SAFETY: by the caller's promise.
        return unsafe { load(object, descriptor - PER_OBJECT) };
    }
    // SAFETY: by the caller's promise.
    let table = unsafe { load(object, 0) };
    if table == 0 {
        return 0;
    }
    let at = table.wrapping_add_signed(-(offset + INDIRECT_BIAS - PER_OBJECT as isize));
    // SAFETY: by the caller's promise.
    unsafe { load(Addr::new(at), 0) }
}

/// # Safety
/// The word may be read.
unsafe fn load(object: Addr, offset: usize) -> usize {
    // SAFETY: by the caller's promise.
    unsafe { (object + offset).as_ptr::<usize>().read_volatile() }
}
