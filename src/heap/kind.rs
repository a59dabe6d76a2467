//! Kinds: what the collector may assume about an object's words.
//!
//! A block holds slots of one size class of one kind. A kind is a number below 64; the first few are fixed, the rest
//! are made at run time with a trace procedure.
//!
//! | kind                  | scanned          | collected | handed out as zero |
//! |-----------------------|------------------|-----------|--------------------|
//! | malloc                | every word       | yes       | no                 |
//! | scanned               | every word       | yes       | yes                |
//! | pointer-free          | no               | yes       | no                 |
//! | uncollectable         | as a root        | no        | yes                |
//! | pointer-free uncollectable | no          | no        | no                 |
//! | typed                 | by layout word   | yes       | yes                |
//! | ephemeron             | by its own rule  | yes       | yes                |
//! | value                 | every word       | yes       | no                 |
//! | fiber                 | the used part of its stack | yes | yes            |
//! | weak words            | no               | yes       | yes                |
//! | ephemerons            | by their own rule | yes      | yes                |
//! | made at run time      | as it was asked for: see [`Design`] | or no | or no |
//!
//! `malloc`'s slots are cleared of [`remains`](super::remains), which is no promise of zero.

use crate::base::sync::{AtomicU8, AtomicU32, AtomicUsize, Ordering};

/// A kind's number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct Kind(u8);

/// How many kinds there can be.
pub const KINDS_MAX: usize = 64;

/// How many kinds there are from the start; those made at run time are numbered from here on.
pub const FIXED_KINDS: u32 = 11;

impl Kind {
    /// What `malloc` hands out: any word may be a pointer, contents are left as they were.
    pub const MALLOC: Kind = Kind(0);
    /// Any word may be a pointer; zeroed.
    pub const SCANNED: Kind = Kind(1);
    /// No word is a pointer; not zeroed.
    pub const POINTER_FREE: Kind = Kind(2);
    /// Scanned as a root and freed by hand only; zeroed.
    pub const UNCOLLECTABLE: Kind = Kind(3);
    /// Freed by hand only, not scanned.
    pub const POINTER_FREE_UNCOLLECTABLE: Kind = Kind(4);
    /// A layout word at the end of the slot says which words are pointers; zeroed.
    pub const TYPED: Kind = Kind(5);
    /// A key, and a value that lives as long as the key.
    pub const EPHEMERON: Kind = Kind(6);
    /// What a handle of Rust's refers to: any word may be a pointer; not zeroed, since a value is written whole.
    pub const VALUE: Kind = Kind(7);
    /// The record of a fiber, which holds what lies on its stack.
    pub const FIBER: Kind = Kind(8);
    /// Words that keep nothing; zeroed, with a tail at the end of the slot.
    pub const WEAK_WORDS: Kind = Kind(9);
    /// Pairs of a key and a value that lives as long as the key; zeroed, with a tail at the end of the slot.
    pub const EPHEMERONS: Kind = Kind(10);

    /// The kind with this number; the caller got the number from [`Kind::number`] or from a class word.
    #[inline(always)]
    pub const fn from_number(number: u8) -> Kind {
        Kind(number & (KINDS_MAX as u8 - 1))
    }

    /// The kind's number.
    #[inline(always)]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Whether its objects are weak objects, with a tail.
    #[inline(always)]
    pub fn is_weak_object(self) -> bool {
        self == Kind::WEAK_WORDS || self == Kind::EPHEMERONS
    }

    /// A kind made by [`make`] with this number, if there is one.
    pub fn made(number: u32) -> Option<Kind> {
        // Relaxed: as in `make`.
        (FIXED_KINDS..MADE.load(Ordering::Relaxed)).contains(&number).then_some(Kind(number as u8))
    }

    /// Whether there is such a kind.
    pub fn exists(self) -> bool {
        // Relaxed: as in `make`.
        u32::from(self.0) < MADE.load(Ordering::Relaxed)
    }

    /// Whether a kind that does not promise zero has its slots cleared of what dead objects have left.
    #[inline(always)]
    pub fn is_cleared_of_remains(self) -> bool {
        self == Kind::MALLOC
    }

    /// The kind's properties.
    #[inline(always)]
    pub fn traits(self) -> Traits {
        Traits(TRAITS[self.0 as usize].load(Ordering::Relaxed))
    }

    /// The address of the trace procedure of a kind made at run time.
    pub fn trace_procedure(self) -> usize {
        TRACE[self.0 as usize].load(Ordering::Relaxed)
    }
}

/// A kind's properties, a bit each.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Traits(u8);

impl Traits {
    const CONSERVATIVE: u8 = 1;
    const ZEROED: u8 = 2;
    const UNCOLLECTABLE: u8 = 4;
    const TYPED: u8 = 8;
    const TRACED: u8 = 16;
    const WEAK: u8 = 32;
    const ENDS_EARLY: u8 = 64;
    const FIBER: u8 = 128;

    /// Whether any word may be a pointer.
    #[inline(always)]
    pub fn is_conservative(self) -> bool {
        self.0 & Self::CONSERVATIVE != 0
    }
    /// Whether any word may be a pointer and the object is collected: what most objects are.
    #[inline(always)]
    pub fn is_plain(self) -> bool {
        self.0 & (Self::CONSERVATIVE | Self::UNCOLLECTABLE) == Self::CONSERVATIVE
    }
    /// Whether the heap hands slots out as zero.
    #[inline(always)]
    pub fn is_zeroed(self) -> bool {
        self.0 & Self::ZEROED != 0
    }
    /// Whether only an explicit free ends an object.
    #[inline(always)]
    pub fn is_uncollectable(self) -> bool {
        self.0 & Self::UNCOLLECTABLE != 0
    }
    /// Whether any word may be a pointer and is a root: an object that only an explicit free ends.
    #[inline(always)]
    pub fn is_root(self) -> bool {
        const BOTH: u8 = Traits::CONSERVATIVE | Traits::UNCOLLECTABLE;
        self.0 & BOTH == BOTH
    }
    /// Whether a layout word at the end of the slot says where pointers are.
    #[inline(always)]
    pub fn is_typed(self) -> bool {
        self.0 & Self::TYPED != 0
    }
    /// Whether a procedure says where pointers are.
    #[inline(always)]
    pub fn is_traced(self) -> bool {
        self.0 & Self::TRACED != 0
    }
    /// Whether it keeps what it holds by a rule of its own, or not: ephemerons and weak objects.
    #[inline(always)]
    pub fn is_weak(self) -> bool {
        self.0 & Self::WEAK != 0
    }
    /// Whether it is the record of a fiber.
    #[inline(always)]
    pub fn is_fiber(self) -> bool {
        self.0 & Self::FIBER != 0
    }
    /// Whether objects always end before their slot does, so that one past the end still lies inside.
    #[inline(always)]
    pub fn ends_early(self) -> bool {
        self.0 & Self::ENDS_EARLY != 0
    }
    /// Whether one past the end of an object may be the start of the next slot: no byte, layout or tail lies between.
    #[inline(always)]
    pub fn may_fill_slot(self) -> bool {
        self.0 & (Self::ENDS_EARLY | Self::TYPED | Self::WEAK) == 0
    }
    /// Whether an object can hold pointers at all, be they weak.
    #[inline(always)]
    pub fn may_hold_pointers(self) -> bool {
        self.0 & (Self::CONSERVATIVE | Self::TYPED | Self::TRACED | Self::WEAK | Self::FIBER) != 0
    }
}

static TRAITS: [AtomicU8; KINDS_MAX] = {
    let mut traits = [const { AtomicU8::new(0) }; KINDS_MAX];
    traits[0] = AtomicU8::new(Traits::CONSERVATIVE | Traits::ENDS_EARLY);
    traits[1] = AtomicU8::new(Traits::CONSERVATIVE | Traits::ZEROED);
    traits[2] = AtomicU8::new(0);
    traits[3] = AtomicU8::new(Traits::CONSERVATIVE | Traits::ZEROED | Traits::UNCOLLECTABLE);
    traits[4] = AtomicU8::new(Traits::UNCOLLECTABLE);
    traits[5] = AtomicU8::new(Traits::TYPED | Traits::ZEROED);
    traits[6] = AtomicU8::new(Traits::WEAK | Traits::ZEROED);
    traits[7] = AtomicU8::new(Traits::CONSERVATIVE);
    // Its own address lies on a parked stack: that must not keep the fiber beside it, and that one the next.
    traits[8] = AtomicU8::new(Traits::FIBER | Traits::ZEROED | Traits::ENDS_EARLY);
    traits[9] = AtomicU8::new(Traits::WEAK | Traits::ZEROED);
    traits[10] = AtomicU8::new(Traits::WEAK | Traits::ZEROED);
    traits
};

static TRACE: [AtomicUsize; KINDS_MAX] = [const { AtomicUsize::new(0) }; KINDS_MAX];
static MADE: AtomicU32 = AtomicU32::new(FIXED_KINDS);

/// Where the pointers of a kind that is made at run time are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Words {
    /// Any word may be one.
    Any,
    /// There are none.
    None,
    /// The trace procedure at this address says where.
    Traced(usize),
}

/// A kind to be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Design {
    /// Where its pointers are.
    pub words: Words,
    /// Whether it is handed out as zero. One with a trace procedure is whatever this says: the procedure sees objects that
    /// nobody has written to yet.
    pub is_zeroed: bool,
    /// Whether an object ends when nothing reaches it, and not only by hand.
    pub is_collected: bool,
}

impl Design {
    /// What `gleaner.h` makes: collected objects, zeroed, that a procedure traces, or without pointers when `trace` is zero.
    pub const fn of_trace(trace: usize) -> Design {
        let words = if trace == 0 { Words::None } else { Words::Traced(trace) };
        Design { words, is_zeroed: true, is_collected: true }
    }

    fn traits(self) -> Traits {
        let (words, needs_zero) = match self.words {
            Words::Any => (Traits::CONSERVATIVE, false),
            Words::None => (0, false),
            Words::Traced(_) => (Traits::TRACED, true),
        };
        let zeroed = if self.is_zeroed || needs_zero { Traits::ZEROED } else { 0 };
        let uncollectable = if self.is_collected { 0 } else { Traits::UNCOLLECTABLE };
        Traits(words | zeroed | uncollectable)
    }
}

/// Makes a kind. `None` when all 64 numbers are taken.
pub fn make(design: Design) -> Option<Kind> {
    // Relaxed: the number is all there is. From here on it is ours, and there is no object of the kind before we return.
    let taken =
        MADE.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |next| (next < KINDS_MAX as u32).then_some(next + 1));
    let number = taken.ok()?;
    let trace = if let Words::Traced(trace) = design.words { trace } else { 0 };
    // Relaxed: another thread has the kind from this one, by the program's own synchronisation; a collector stops both.
    TRACE[number as usize].store(trace, Ordering::Relaxed);
    TRAITS[number as usize].store(design.traits().0, Ordering::Relaxed);
    Some(Kind(number as u8))
}
