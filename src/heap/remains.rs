//! Remains: what dead objects leave in slots that a collection has taken back.
//!
//! They hold pointers, and a program seldom writes all of what `malloc` gives it: a buffer with room to spare keeps what
//! they point to, that has remains in it again, and so on without an end; where long lists die, each such word keeps what
//! was left of one. So remains are cleared before `malloc`'s kind hands them out; what the program has freed by hand comes
//! back as it is, and costs nothing.
//!
//! It is known by the unit, in two bits beside it:
//!
//! ```text
//!              sweep            claim                  claim ends, used up
//!   none  -------------> all  --------->  ahead  -------------------------->  none
//!                         ^                 |  claim ends before, or sweep
//!                         +-----------------+
//!
//!   ahead: only from the claimer's cursor on, for it has cleared what it took
//! ```
//!
//! A block that is given up takes its remains along to the cage: whoever is given the units next finds them there.
//!
//! Holds:   a slot that a collection has taken back, and that nobody has been handed since, lies in a unit with remains or
//!          in one whose pages were given back.
//! Threads: whoever has the units: the claimer of the block in its gate, the collector while the world is stopped, whoever
//!          gives the block up or takes it. Relaxed throughout: the block's lists and the cage pass them on under their locks.

use super::{cage::Unit, units};
use crate::base::sync::Ordering;

const ANY: u8 = units::REMAINS;
const AHEAD: u8 = units::REMAINS_AHEAD;

fn set(unit: Unit, bits: u8) {
    if get(unit) == bits {
        return;
    }
    let flags = units::flags(unit);
    // Nobody else writes these bits meanwhile, so what is in between is seen by nobody; the others somebody may.
    if bits != ANY | AHEAD {
        flags.fetch_and(!(ANY | AHEAD) | bits, Ordering::Relaxed);
    }
    if bits != 0 {
        flags.fetch_or(bits, Ordering::Relaxed);
    }
}

fn get(unit: Unit) -> u8 {
    units::flags(unit).load(Ordering::Relaxed) & (ANY | AHEAD)
}

/// Whether some may lie in the block.
#[inline]
pub fn lie_in(unit: Unit) -> bool {
    get(unit) != 0
}

/// A sweep has taken slots of the block back.
pub fn note_swept(unit: Unit) {
    set(unit, ANY);
}

/// A thread begins to take slots, from the block's first on.
pub fn begin_claim(unit: Unit) {
    if lie_in(unit) {
        set(unit, ANY | AHEAD);
    }
}

/// It has taken the last slot there was, or stops before.
pub fn end_claim(unit: Unit, is_used_up: bool) {
    if get(unit) == ANY | AHEAD {
        set(unit, if is_used_up { 0 } else { ANY });
    }
}

/// Units are taken for a large object or the growth of one: visits each that some lie in, for them to be cleared.
pub fn take_each(first: Unit, count: u32, mut clear: impl FnMut(Unit)) {
    (first..first + count).filter(|&unit| lie_in(unit)).for_each(|unit| {
        set(unit, 0);
        clear(unit);
    });
}

/// The units of a block or a large object are given up: those of its first are in all.
pub fn give_up(first: Unit, count: u32) {
    if lie_in(first) {
        (first..first + count).for_each(note_swept);
    }
}

/// Units are taken for a block, whose claim begins: what lies in any of them lies in the block. Whether some does.
pub fn take(first: Unit, count: u32, is_zero: bool) -> bool {
    let units = first..first + count;
    let lie_in_any = !is_zero && units.clone().any(lie_in);
    units.for_each(|unit| {
        if lie_in(unit) {
            set(unit, 0);
        }
    });
    if lie_in_any {
        set(first, ANY | AHEAD);
    }
    lie_in_any
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::{cage, centre, ensure_reserved};

    /// So many units that are nobody else's.
    fn units(count: u32) -> Unit {
        assert!(ensure_reserved());
        centre::take_units(units::Class::FREE, count, 1).expect("room").first
    }

    fn give(first: Unit, count: u32) {
        cage::CAGE.lock().as_mut().unwrap().give(first, count);
    }

    #[test]
    fn a_block_has_remains_from_a_sweep_until_a_claim_has_used_it_up() {
        let unit = units(1);
        assert!(!take(unit, 1, true));
        for is_used_up in [true, false] {
            note_swept(unit);
            begin_claim(unit);
            assert!(lie_in(unit));
            end_claim(unit, is_used_up);
            assert_eq!(lie_in(unit), !is_used_up);
        }
        begin_claim(unit);
        note_swept(unit);
        end_claim(unit, true);
        assert!(lie_in(unit), "what a sweep takes back behind the cursor is cleared by the next claim");
        give(unit, 1);
    }

    #[test]
    fn remains_go_with_the_units_until_their_pages_are_zero() {
        let first = units(4);
        assert!(!take(first, 4, true));
        note_swept(first);
        give_up(first, 4);
        assert!((first..first + 4).all(lie_in));
        assert!(take(first + 1, 2, false));
        assert_eq!([0, 1, 2, 3].map(|unit| lie_in(first + unit)), [true, true, false, true]);
        end_claim(first + 1, true);
        assert!(take(first + 2, 2, false));
        assert_eq!([0, 1, 2, 3].map(|unit| lie_in(first + unit)), [true, false, true, false]);
        assert!(!take(first, 4, true));
        assert!(!(first..first + 4).any(lie_in));
        give(first, 4);
    }
}
