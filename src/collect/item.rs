//! Items: marked objects that wait to be scanned, a word each.
//!
//! ```text
//!   63      56 55                                       0
//!   [ words  ][ address of the first byte                ]
//! ```
//!
//! *Words* says all that is needed to scan most objects: how many there are to look at, each of which may be a pointer.
//! For the others, which are long or of a kind that says itself where its pointers are, it is `OTHER`, and their class
//! is asked. An object without pointers has none to look at and does not wait at all.

use crate::{
    base::{
        addr::{Addr, Range},
        sync::{AtomicBool, AtomicU8, Ordering},
    },
    heap::{
        kind::{KINDS_MAX, Kind},
        resolve::{self, Place, Slot},
        size_class,
        units::{CLASS_WORDS, Class},
    },
};

/// See the module's documentation.
#[derive(Clone, Copy)]
pub struct Item(u64);

/// The most words of an object that is scanned at once.
pub const PIECE: usize = 64;
/// The bytes of [`PIECE`] words.
pub const PIECE_BYTES: usize = PIECE * WORD;

const WORD: usize = size_of::<usize>();
const WORDS_SHIFT: u32 = 56;
const OTHER: u8 = u8::MAX;

/// For each class word, the words to look at. Relaxed: changed by the collecting thread, whose helpers begin later.
#[unsafe(link_section = ".tables")]
static WORDS_OF: [AtomicU8; CLASS_WORDS] = words_of();

const fn words_of() -> [AtomicU8; CLASS_WORDS] {
    // Kinds that are made at run time are learned of then: see `learn`.
    let mut table = [const { AtomicU8::new(OTHER) }; CLASS_WORDS];
    let mut size_class = 0;
    while size_class < size_class::CLASSES_MAX {
        let bytes = size_class::slot_bytes_of(size_class);
        if 0 < bytes && bytes <= PIECE_BYTES {
            table[Class::small(Kind::MALLOC, size_class).index()] = AtomicU8::new((bytes / WORD) as u8);
            table[Class::small(Kind::SCANNED, size_class).index()] = AtomicU8::new((bytes / WORD) as u8);
            table[Class::small(Kind::VALUE, size_class).index()] = AtomicU8::new((bytes / WORD) as u8);
        }
        table[Class::small(Kind::POINTER_FREE, size_class).index()] = AtomicU8::new(0);
        table[Class::small(Kind::POINTER_FREE_UNCOLLECTABLE, size_class).index()] = AtomicU8::new(0);
        size_class += 1;
    }
    table
}

/// Takes note of a kind that was made at run time and has no object yet, so that a short one is scanned at once. The
/// caller is inside its gate: no collection is under way.
pub fn learn(kind: Kind) {
    let traits = kind.traits();
    for size_class in 0..size_class::CLASSES_MAX {
        let words = &WORDS_OF[Class::small(kind, size_class).index()];
        let bytes = size_class::slot_bytes_of(size_class);
        if !traits.may_hold_pointers() {
            let is_passed_over = !IS_NONE_PASSED_OVER.load(Ordering::Relaxed);
            words.store(if is_passed_over { 0 } else { OTHER }, Ordering::Relaxed);
        } else if traits.is_plain() && 0 < bytes && bytes <= PIECE_BYTES && !IS_NONE_SHORT.load(Ordering::Relaxed) {
            words.store((bytes / WORD) as u8, Ordering::Relaxed);
        }
    }
}

/// Whether [`let_none_be_short`] has been called. Relaxed: the gates order it.
static IS_NONE_SHORT: AtomicBool = AtomicBool::new(false);

/// Lets every object be looked at as those that are long: from now on none is scanned at once. The world is stopped, and
/// no item waits.
pub fn let_none_be_short() {
    IS_NONE_SHORT.store(true, Ordering::Relaxed);
    for words in WORDS_OF.iter().filter(|words| words.load(Ordering::Relaxed) != 0) {
        words.store(OTHER, Ordering::Relaxed);
    }
}

/// Whether [`let_none_be_passed_over`] has been called. Relaxed: the gates order it.
static IS_NONE_PASSED_OVER: AtomicBool = AtomicBool::new(false);

/// Lets objects without pointers be looked at too: from now on each waits. The world is stopped, and no item waits.
pub fn let_none_be_passed_over() {
    if IS_NONE_PASSED_OVER.swap(true, Ordering::Relaxed) {
        return;
    }
    for words in WORDS_OF.iter().filter(|words| words.load(Ordering::Relaxed) == 0) {
        words.store(OTHER, Ordering::Relaxed);
    }
}

const _: () = assert!(CLASS_WORDS == KINDS_MAX * size_class::CLASSES_MAX && PIECE < OTHER as usize);

impl Item {
    /// The object at a place.
    #[inline(always)]
    pub fn at(place: Place) -> Item {
        Item::new(place.start, place.class)
    }

    /// The object in a slot.
    pub fn of(slot: &Slot) -> Item {
        Item::new(slot.start(), slot.class())
    }

    /// No object: nothing is to be scanned.
    pub const NONE: Item = Item(0);

    /// The object that begins at `start`, of a class.
    #[inline(always)]
    pub fn new(start: Addr, class: Class) -> Item {
        Item(u64::from(WORDS_OF[class.index()].load(Ordering::Relaxed)) << WORDS_SHIFT | start.get() as u64)
    }

    /// The object of the same class that begins so many bytes further.
    #[inline(always)]
    pub fn moved_by(self, bytes: usize) -> Item {
        Item(self.0 + bytes as u64)
    }

    #[cfg(test)]
    pub(super) const fn from_raw(raw: u64) -> Item {
        Item(raw)
    }

    #[cfg(test)]
    pub(super) const fn raw(self) -> u64 {
        self.0
    }

    /// Its first byte.
    #[inline(always)]
    pub fn start(self) -> Addr {
        Addr::new((self.0 & ((1 << WORDS_SHIFT) - 1)) as usize)
    }

    /// Whether there may be anything to scan in it.
    #[inline(always)]
    pub fn is_to_be_scanned(self) -> bool {
        self.0 >> WORDS_SHIFT != 0
    }

    /// How many words there are to look at, [`PIECE`] at most, or more than that.
    #[inline(always)]
    pub fn word_count(self) -> usize {
        (self.0 >> WORDS_SHIFT) as usize
    }

    /// Its words, if each may be a pointer and they are at most [`PIECE`].
    #[inline(always)]
    pub fn words(self) -> Option<Range> {
        let words = self.word_count();
        (words <= PIECE).then(|| Range::sized(self.start(), words * WORD))
    }

    /// Whether a helper may scan it: the lead calls procedures of the program, and keeps ephemerons and weak objects.
    pub fn is_for_any_marker(self) -> bool {
        let has_map = |slot: Slot| {
            let traits = slot.class().kind().traits();
            traits.is_conservative() || traits.is_typed() || traits.is_fiber()
        };
        self.words().is_some() || resolve::locate(self.start()).is_some_and(has_map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_keeps_the_address_and_says_what_is_to_be_scanned() {
        let start = Addr::new(0x7fff_ffff_fff0);
        for index in 0..CLASS_WORDS {
            let class = Class::from_index(index);
            let (item, traits) = (Item::new(start, class), class.kind().traits());
            let bytes = class.shape().slot_bytes as usize;
            assert_eq!(item.start(), start);
            match item.words() {
                Some(words) if item.is_to_be_scanned() => {
                    assert!(traits.is_plain() && words == Range::sized(start, bytes), "class {index}");
                }
                Some(_) => assert!(!traits.may_hold_pointers(), "class {index}"),
                None => assert!(!traits.is_plain() || bytes == 0 || bytes > PIECE_BYTES, "class {index}"),
            }
        }
    }
}
