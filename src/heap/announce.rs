//! Announcing: under memcheck every object is told of when it is born, resized and dead, so that a program's mistakes
//! with it are found as they are with the C library's own.
//!
//! ```text
//!   slot   | bytes asked for        | slack     | words of the heap's: sizes | layout, or tail |
//!          | the program may use    | nobody may touch                               |
//! ```
//!
//! Behind each object 16 bytes of its slot stay out of bounds, so that an overflow does not fall into a neighbour. The
//! slack, which the slot has beyond what was asked for, is out of bounds too until somebody asks how much may be used.
//! Every allocation and free takes the slow path, and a slot that was freed waits before it is handed out again
//! ([`late`](super::late)).
//!
//! Holds:   under memcheck, whoever is inside a gate finds every slot in use announced, but for one that its own thread
//!          is about to announce; slots that are not in use are out of bounds.
//! Threads: the owner of the object, in its gate, or a sweep.

use super::{
    Request,
    cage::Unit,
    kind::Kind,
    resolve::{self, Slot},
    sweep,
    units::{self, Class},
};
use crate::{
    base::{
        addr::{Addr, Range},
        sync::Ordering,
    },
    os::memcheck,
};

/// Bytes at the end of each slot that no object has: the sizes, and what the collector keeps there, a word at least.
fn bytes_behind(kind: Kind) -> usize {
    size_of::<usize>() + resolve::tail_bytes(kind).max(size_of::<usize>())
}

/// An object's sizes in one word, which is no address of ours whatever they are: the highest bit is set.
///
/// All zero is what is left of an object that was zeroed whole.
#[derive(Clone, Copy, Default)]
struct Sizes {
    /// Bytes that its owner may ask to use.
    usable: usize,
    /// Bytes of those that the owner may not touch yet.
    slack: usize,
    is_freed: bool,
}

const FREED: usize = 1;
const SLACK_SHIFT: u32 = 1;
const SLACK_BITS: u32 = 17;
const USABLE_SHIFT: u32 = SLACK_SHIFT + SLACK_BITS;
const VALID: usize = 1 << 63;

impl Sizes {
    fn of(slot: &Slot) -> Sizes {
        // SAFETY: the word lies in the slot, behind its object.
        let word = unsafe { sizes_word(slot).read() };
        Sizes {
            usable: (word & !VALID) >> USABLE_SHIFT,
            slack: word >> SLACK_SHIFT & ((1 << SLACK_BITS) - 1),
            is_freed: word & FREED != 0,
        }
    }

    fn write(self, slot: &Slot) {
        debug_assert!(self.slack >> SLACK_BITS == 0, "a slot with {} bytes to spare", self.slack);
        let word = VALID | self.usable << USABLE_SHIFT | self.slack << SLACK_SHIFT | usize::from(self.is_freed);
        // SAFETY: as above; nobody else uses that word.
        unsafe { sizes_word(slot).write(word) };
    }

    fn announced(self) -> usize {
        self.usable - self.slack
    }
}

fn sizes_word(slot: &Slot) -> *mut usize {
    (slot.start() + (slot.bytes() - bytes_behind(slot.class().kind()))).as_ptr()
}

/// What has to be asked of the heap, so that there is room behind the object that `request` asks for.
pub fn with_tail(request: &Request) -> Request {
    let bytes = request.usable_bytes().saturating_add(bytes_behind(request.kind));
    Request { bytes, ..*request }
}

/// `range` was taken for an object, and the heap is going to write it. It could at any time, but memcheck, which reports
/// nothing then, would look at every word.
pub fn note_taken(range: Range) {
    if memcheck::is_running() {
        memcheck::define(range);
    }
}

/// The object that `request` asked for is at `object`.
pub fn note_born(object: Addr, request: &Request) {
    let Some(slot) = resolve::object_at(object) else { return };
    let usable = request.usable_bytes();
    let bytes = request.object_bytes();
    Sizes { usable, slack: usable - bytes, is_freed: false }.write(&slot);
    // What lies before the object is the end of another one's slot.
    memcheck::forbid(Range::sized(slot.start(), slot.bytes()));
    memcheck::note_born(object, bytes, request.zeroed || request.kind.traits().is_zeroed());
}

/// The object has `bytes` now; they are no more than [`usable_bytes`].
pub fn note_resized(slot: &Slot, bytes: usize) {
    let sizes = Sizes::of(slot);
    let before = sizes.announced();
    memcheck::note_resized(slot.start(), before, bytes);
    if bytes > before && slot.class().kind().traits().is_zeroed() {
        memcheck::define(Range::new(slot.start() + before, slot.start() + bytes));
    }
    Sizes { slack: sizes.usable - bytes, ..sizes }.write(slot);
}

/// The object was freed.
pub fn note_freed(slot: &Slot) {
    memcheck::note_died(slot.start());
    Sizes { is_freed: true, ..Sizes::of(slot) }.write(slot);
}

/// Whether the object was freed and its slot waits.
pub fn is_freed(slot: &Slot) -> bool {
    memcheck::is_running() && Sizes::of(slot).is_freed
}

/// Bytes that the object's owner may ask to use, as many as without memcheck.
pub fn usable_bytes(slot: &Slot) -> usize {
    let _unchecked = memcheck::unchecked();
    Sizes::of(slot).usable
}

/// Bytes that the object's owner may use now.
pub fn announced_bytes(slot: &Slot) -> usize {
    Sizes::of(slot).announced()
}

/// The sweep begins. Marks were set by words that the program may not have written; they have a value all the same.
pub fn note_sweep_begins() {
    memcheck::define(units::bit_words());
}

/// The sweep takes back what is not marked of the block, or the large object, that starts at `unit`.
pub fn note_sweep(class: Class, unit: Unit) {
    let words = if class.is_small() { class.shape().words() } else { 1 };
    for (index, word) in units::words(unit)[..words].iter().enumerate() {
        let dead = word.allocated.load(Ordering::Relaxed) & !word.marked.load(Ordering::Relaxed);
        sweep::for_each_slot(class, unit, index, dead, memcheck::note_died);
    }
}
