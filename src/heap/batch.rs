//! Batches: many slots of a class at once, chained through their first words.
//!
//! For programs that keep free lists of their own and hand objects out themselves. The slots come from the thread's
//! magazine, which is refilled as for any other allocation.
//!
//! Holds:   the chain is whole, and stored where the caller wants it, before the gate is left: no collection sees a part.
//! Threads: any, inside its gate.

use super::{gate::Inside, refill, units::Class};
use crate::base::addr::Addr;

/// Takes at least one slot, and up to `count_max` as far as they are at hand. Their first words are a chain that begins with
/// the one stored at `first` and ends with null; the rest of each is as its kind promises. How many; 0: the heap has no room
/// now, and `first` is as it was.
///
/// # Safety
/// `first` can be written to.
pub unsafe fn take_chain(inside: &Inside<'_>, class: Class, count_max: usize, first: *mut usize) -> usize {
    let magazine = inside.mutator().magazine(class);
    // SAFETY: the calling thread's magazine; slots are at least a word, and from here on the caller's.
    unsafe {
        let mut last = magazine.pop();
        if last.is_null() && refill::refill(inside, class) {
            last = magazine.pop();
        }
        if last.is_null() {
            return 0;
        }
        let start = last;
        let mut count = 1;
        while count < count_max {
            let mut next = magazine.pop();
            if next.is_null() && count < count_max / 2 && refill::refill(inside, class) {
                next = magazine.pop();
            }
            if next.is_null() {
                break;
            }
            last.cast::<usize>().write(next as usize);
            last = next;
            count += 1;
        }
        last.cast::<usize>().write(0);
        first.write(Addr::of(start).get());
        count
    }
}
