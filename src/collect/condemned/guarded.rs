//! Guarded objects: some that `malloc` hands out have pages of their own, so that they can be barred once condemned.
//!
//! Who hides the only pointer to an object does so in one place of the program mostly, and seldom to the first object alone:
//! so the first few that each place allocates are guarded, and one of each so many after that. A place is known by the
//! address that its call of `malloc` returns to; two that meet in the table of counts count together.
//!
//! Threads: any. Relaxed throughout: counts that nothing depends on.

use crate::{
    base::sync::{AtomicU16, AtomicUsize, Ordering},
    os::mem::PAGE,
};

const PLACES: usize = 4096;
/// So many of a place are guarded, and then one of so many.
const FIRST: u16 = 16;
const EACH: u16 = 64;
/// The most that are guarded at once: 128 MiB of pages.
const GUARDED_MAX: usize = 32 << 10;

#[unsafe(link_section = ".bss.tables")]
static COUNTS: [AtomicU16; PLACES] = [const { AtomicU16::new(0) }; PLACES];
static GUARDED: AtomicUsize = AtomicUsize::new(0);

/// The bytes to ask for in place of `bytes`, for pages of its own, if the next object that is allocated at `site` is to be
/// guarded.
pub fn bytes_for(bytes: usize, site: usize) -> Option<usize> {
    if bytes >= PAGE / 2 || GUARDED.load(Ordering::Relaxed) >= GUARDED_MAX {
        return None;
    }
    let place = (site as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52;
    let count = COUNTS[place as usize % PLACES].fetch_add(1, Ordering::Relaxed);
    // The count begins anew after 65,536, and with it the first.
    (count < FIRST || count.is_multiple_of(EACH)).then_some(PAGE - 1)
}

/// One more is in use.
pub(super) fn note_made() {
    GUARDED.fetch_add(1, Ordering::Relaxed);
}

/// One is not in use any more.
pub(super) fn note_gone() {
    GUARDED.fetch_sub(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_place_are_guarded_and_some_of_the_others() {
        let guarded = |count: usize| (0..count).filter(|_| bytes_for(48, 0x1234).is_some()).count();
        assert_eq!(guarded(FIRST as usize), FIRST as usize);
        assert_eq!(guarded(64 * EACH as usize), 64);
        assert_eq!(bytes_for(PAGE, 0x777), None);
    }
}
