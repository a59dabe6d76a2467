//! Displacements: how far behind its first byte an address may lie and keep an object.
//!
//! Anywhere inside, but for what programs that use libgc's names may say:
//!
//! | objects | addresses that keep them |
//! |---|---|
//! | all of libgc's names, once interior pointers are turned off | on stacks, in registers, and in what is ours any; in static data, in ranges that were registered or pushed, and in objects their first bytes, and those so many bytes behind that were registered |
//! | of a kind that is [known by its beginning](know_by_beginning) | in their first page, wherever the address lies |
//!
//! What `malloc`, handles of Rust's and fibers are made of is kept by any address, whatever libgc is told.
//!
//! Most programs say neither. Marking for them is compiled without a question, and asks once for a batch of words which of
//! the two it is.
//!
//! Holds:   the first byte keeps an object always.
//! Threads: set by any; each collection goes by what it finds as it begins, with the world stopped.

use crate::{
    base::sync::{AtomicBool, AtomicU64, Ordering},
    heap::{kind::Kind, resolve::Slot},
    os::mem,
};

/// What lies as far behind cannot be registered.
pub const END: usize = mem::PAGE;
const BITS: usize = u64::BITS as usize;

// Relaxed, all: the thread that sets one is stopped before a collection looks, or collects itself.
static ONLY_REGISTERED: AtomicBool = AtomicBool::new(false);
/// A bit for each displacement.
static REGISTERED: [AtomicU64; END / BITS] = {
    let mut registered = [const { AtomicU64::new(0) }; END / BITS];
    registered[0] = AtomicU64::new(1);
    registered
};
/// A bit for each kind that is known by its beginning.
static KNOWN_BY_BEGINNING: AtomicU64 = AtomicU64::new(0);
const EVERY_ADDRESS: u64 = 1 << Kind::MALLOC.number()
    | 1 << Kind::VALUE.number()
    | 1 << Kind::FIBER.number()
    | 1 << Kind::EPHEMERON.number()
    | 1 << Kind::EPHEMERONS.number()
    | 1 << Kind::WEAK_WORDS.number();

/// From now on only registered displacements keep an object of libgc's names, or any.
pub fn keep_only_registered(is_so: bool) {
    ONLY_REGISTERED.store(is_so, Ordering::Relaxed);
}

/// Has addresses so many bytes behind the first keep an object. `false`: too many.
pub fn register(bytes: usize) -> bool {
    if bytes < END {
        REGISTERED[bytes / BITS].fetch_or(1 << (bytes % BITS), Ordering::Relaxed);
    }
    bytes < END
}

/// Has only addresses in their first page keep objects of a kind, of which there is none yet.
pub fn know_by_beginning(kind: Kind) {
    KNOWN_BY_BEGINNING.fetch_or(1 << kind.number(), Ordering::Relaxed);
}

fn is_registered(bytes: usize) -> bool {
    bytes < END && REGISTERED[bytes / BITS].load(Ordering::Relaxed) >> (bytes % BITS) & 1 == 1
}

/// Which displacements keep objects in one collection.
#[derive(Clone, Copy)]
pub struct Rule {
    /// Of the first ones a bit each: those that keep an object of any kind.
    near: u64,
    known_by_beginning: u64,
}

impl Rule {
    /// Any address inside keeps an object.
    pub const NONE: Rule = Rule { near: u64::MAX, known_by_beginning: 0 };

    /// What has been said by now.
    pub fn of_now() -> Rule {
        let is_near_enough = !ONLY_REGISTERED.load(Ordering::Relaxed);
        Rule {
            near: if is_near_enough { u64::MAX } else { REGISTERED[0].load(Ordering::Relaxed) },
            known_by_beginning: KNOWN_BY_BEGINNING.load(Ordering::Relaxed),
        }
    }

    /// Whether there is anything to ask.
    #[inline(always)]
    pub fn is_any(&self) -> bool {
        self.near != u64::MAX || self.known_by_beginning != 0
    }

    /// Whether an address in static data or in an object, so far behind the first byte of one of a kind, keeps that.
    #[inline(always)]
    pub fn keeps(&self, kind: Kind, displacement: usize) -> bool {
        self.keeps_near(displacement) || self.keeps_further(kind, displacement)
    }

    /// Whether an address so little behind the first byte of an object keeps it, of whatever kind that is. Otherwise
    /// [`keeps`](Self::keeps) has to be asked.
    #[inline(always)]
    pub fn keeps_near(&self, displacement: usize) -> bool {
        displacement < BITS && self.near >> displacement & 1 == 1
    }

    #[cold]
    #[inline(never)]
    #[unsafe(link_section = ".text.hot")]
    fn keeps_further(&self, kind: Kind, displacement: usize) -> bool {
        self.keeps_from_anywhere(kind, displacement)
            && (self.near == u64::MAX || EVERY_ADDRESS >> kind.number() & 1 == 1 || is_registered(displacement))
    }

    /// As [`keeps`](Self::keeps), for an address anywhere else.
    #[inline]
    pub fn keeps_from_anywhere(&self, kind: Kind, displacement: usize) -> bool {
        self.known_by_beginning >> kind.number() & 1 == 0 || displacement < END
    }

    /// Whether an address in a slot, in static data or in an object, keeps what is in the slot.
    pub fn keeps_slot(&self, slot: &Slot, address: usize) -> bool {
        self.keeps(slot.class().kind(), address - slot.start().get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_always_keeps_and_others_as_they_are_registered() {
        let strict = Rule { near: 1 | 1 << 3, known_by_beginning: 0 };
        assert!(strict.is_any() && !Rule::NONE.is_any() && !Rule::of_now().is_any());
        for kind in (0..64).map(Kind::from_number) {
            let is_exempt = EVERY_ADDRESS >> kind.number() & 1 == 1;
            for displacement in [0, 1, 3, 8, 63, 64, 100, END - 1, END, 1 << 20] {
                let is_kept = is_exempt || displacement == 0 || displacement == 3;
                assert_eq!(strict.keeps(kind, displacement), is_kept, "{kind:?} +{displacement}");
                assert!(Rule::NONE.keeps(kind, displacement));
                assert!(strict.keeps_from_anywhere(kind, displacement));
            }
        }
    }

    #[test]
    fn a_kind_known_by_its_beginning_is_kept_from_its_first_page() {
        let rule = Rule { near: u64::MAX, known_by_beginning: 1 << 12 };
        assert!(rule.is_any());
        for displacement in [0, 1, 64, END - 1, END, 1 << 20] {
            assert_eq!(rule.keeps(Kind::from_number(12), displacement), displacement < END);
            assert_eq!(rule.keeps_from_anywhere(Kind::from_number(12), displacement), displacement < END);
            assert!(rule.keeps(Kind::from_number(13), displacement));
        }
    }

    #[test]
    fn what_is_registered_lies_in_the_first_page() {
        assert!(!register(END) && !is_registered(END) && is_registered(0));
        assert!(!is_registered(4000) && register(4000) && is_registered(4000));
    }
}
