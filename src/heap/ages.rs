//! Ages: for each slot, how many collections in a row have found its object unreachable.
//!
//! They are kept only where objects have a grace (`collect::grace`), in an array by unit, beside the others: for each 64
//! slots four words, the binary digits of their ages, so that 64 slots grow older at once.
//!
//! ```text
//!   digit 0   1 0 1 1      ages, read downward: 1, 2, 3, 1
//!   digit 1   0 1 1 0
//! ```
//!
//! Holds:   the age of a slot that is handed out is zero, and one that is free has any.
//! Threads: a collector grows them while the world is stopped. Who hands slots out, in its gate, makes them young: it has
//!          the slots.

use super::{
    cage::{self, Unit},
    units::WORDS_PER_UNIT,
};
use crate::{
    base::{
        addr::{Addr, Range},
        sync::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
    os::mem,
};

const DIGITS: usize = 4;
/// No object is older.
pub const AGE_MAX: u32 = (1 << DIGITS) - 1;

type Word = [AtomicU64; DIGITS];

const BYTES_PER_UNIT: usize = WORDS_PER_UNIT * size_of::<Word>();

static ARE_KEPT: AtomicBool = AtomicBool::new(false);
/// The array, or zero.
static ARRAY: AtomicUsize = AtomicUsize::new(0);
/// So many units have entries.
static UNITS: AtomicU32 = AtomicU32::new(0);

/// Keeps ages from the next collection on. Before the first allocation.
pub fn keep() {
    ARE_KEPT.store(true, Ordering::Relaxed);
}

/// Whether ages are kept. Relaxed: set while one thread runs.
#[inline(always)]
pub fn are_kept() -> bool {
    ARE_KEPT.load(Ordering::Relaxed)
}

/// Makes room for the ages of all slots. The world is stopped. `false`: the system refuses.
pub fn make_room() -> bool {
    let mut array = ARRAY.load(Ordering::Relaxed);
    if array == 0 {
        let Some(reserved) = mem::reserve(cage::units_max() as usize * BYTES_PER_UNIT, mem::PAGE) else { return false };
        array = reserved.get();
        ARRAY.store(array, Ordering::Relaxed);
    }
    let (from, to) = (UNITS.load(Ordering::Relaxed), cage::frontier());
    if from >= to {
        return true;
    }
    let start = Addr::new(array);
    // An entry is half a page.
    let missing = Range::new(start + from as usize * BYTES_PER_UNIT, start + to as usize * BYTES_PER_UNIT);
    let is_made = mem::commit(Range::new(missing.start.align_down(mem::PAGE), missing.end.align_up(mem::PAGE)));
    if is_made {
        // Relaxed: the stop lies between this and who hands slots out.
        UNITS.store(to, Ordering::Relaxed);
    }
    is_made
}

/// The digits of 64 slots. `None`: they have no age yet.
#[inline]
fn digits(unit: Unit, index: usize) -> Option<&'static Word> {
    if unit >= UNITS.load(Ordering::Relaxed) {
        return None;
    }
    let address = ARRAY.load(Ordering::Relaxed) + unit as usize * BYTES_PER_UNIT + index * size_of::<Word>();
    // SAFETY: the entry is committed and never released; it consists of atomics, for which zero is a value.
    Some(unsafe { &*(address as *const Word) })
}

/// Slots are handed out.
#[cold]
pub fn make_young(unit: Unit, index: usize, slots: u64) {
    if let Some(digits) = digits(unit, index) {
        // Relaxed: each thread changes the ages of its own slots; others change others of the word.
        digits.iter().for_each(|digit| {
            digit.fetch_and(!slots, Ordering::Relaxed);
        });
    }
}

/// Those of 64 slots whose objects have been found unreachable grow older by one, unless `is_too_soon`; the others are young
/// again. Gives those that have reached `age_max`, where they stay. The world is stopped.
pub fn grow(unit: Unit, index: usize, unreachable: u64, age_max: u32, is_too_soon: bool) -> u64 {
    let Some(digits) = digits(unit, index) else { return 0 };
    let mut ages: [u64; DIGITS] = core::array::from_fn(|digit| digits[digit].load(Ordering::Relaxed) & unreachable);
    let oldest = |ages: &[u64; DIGITS]| {
        let is_digit = |digit: usize| if age_max >> digit & 1 == 1 { ages[digit] } else { !ages[digit] };
        (0..DIGITS).fold(unreachable, |slots, digit| slots & is_digit(digit))
    };
    let mut carry = if is_too_soon { 0 } else { unreachable & !oldest(&ages) };
    for age in &mut ages {
        (*age, carry) = (*age ^ carry, *age & carry);
    }
    for (digit, &age) in digits.iter().zip(&ages) {
        digit.store(age, Ordering::Relaxed);
    }
    oldest(&ages)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::heap::{centre, ensure_reserved, units};
    use std::vec::Vec;

    #[test]
    fn ages_agree_with_a_naive_twin_over_a_random_walk() {
        assert!(ensure_reserved());
        let unit = centre::take_units(units::Class::FREE, 1, 1).expect("room").first;
        assert!(make_room());
        let mut seed = std::env::var("SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(0x2545_f491_4f6c_dd1du64);
        std::println!("SEED={seed}");
        let mut random = move || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        for age_max in 1..=AGE_MAX {
            let mut twin = [0u32; 64];
            make_young(unit, 3, u64::MAX);
            for _ in 0..2_000 {
                if random() % 8 == 0 {
                    let young = random() & random();
                    make_young(unit, 3, young);
                    (0..64).filter(|slot| young >> slot & 1 == 1).for_each(|slot| twin[slot] = 0);
                }
                let (unreachable, is_too_soon) = (random() | random() | random(), random() % 4 == 0);
                let oldest = grow(unit, 3, unreachable, age_max, is_too_soon);
                for (slot, age) in twin.iter_mut().enumerate() {
                    *age = match unreachable >> slot & 1 {
                        0 => 0,
                        _ if is_too_soon => *age,
                        _ => (*age + 1).min(age_max),
                    };
                }
                let expected: Vec<bool> = twin.iter().map(|&age| age == age_max).collect();
                assert_eq!((0..64).map(|slot| oldest >> slot & 1 == 1).collect::<Vec<_>>(), expected);
            }
        }
        cage::CAGE.lock().as_mut().unwrap().give(unit, 1);
    }
}
