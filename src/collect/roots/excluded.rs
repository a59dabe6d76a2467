//! What the program wants left out of the roots: parts of static data and of registered ranges, or all static data. And what
//! a door's programs do not count on: the data that the loader has sealed.
//!
//! Heeded where the loader lists static data. Where every mapping that the program may have written is a root, all that lies
//! in one is searched all the same.
//!
//! Holds:   the ranges are in ascending order, and no two touch.
//! Threads: the ranges have the tables' lock; the rest is set by any, and looked at as a collection begins.

use super::left_out;
use crate::{
    base::{
        addr::Range,
        sync::{AtomicBool, AtomicUsize, Ordering},
    },
    collect::table::{List, NoMemory},
    os::statics::Object,
};
use core::ffi::CStr;

/// Ranges that are left out.
pub struct Excluded {
    ranges: List<Range>,
}

impl Excluded {
    /// None, without memory.
    pub const fn new() -> Self {
        Excluded { ranges: List::new() }
    }

    /// Leaves a range out.
    pub fn add(&mut self, range: Range) -> Result<(), NoMemory> {
        self.ranges.reserve(self.ranges.len() + 1)?;
        let mut whole = range;
        let mut index = 0;
        while let Some(&other) = self.ranges.as_slice().get(index) {
            if other.start <= whole.end && whole.start <= other.end {
                whole = Range::new(whole.start.min(other.start), whole.end.max(other.end));
                self.ranges.swap_remove(index);
                // One that was passed over may touch what it has become.
                index = 0;
            } else {
                index += 1;
            }
        }
        self.ranges.push(whole)?;
        self.ranges.as_mut_slice().sort_unstable_by_key(|range| range.start);
        Ok(())
    }

    /// Leaves nothing out from now on.
    pub fn clear(&mut self) {
        self.ranges.clear();
    }

    /// Visits the parts of `range` that are not left out.
    pub fn without(&self, range: Range, visit: impl FnMut(Range)) {
        left_out::without(range, self.ranges.as_slice(), visit);
    }
}

/// Is asked by the collecting thread before the stop, with the loader locked, whether a segment of an object with this path,
/// which is empty for the program itself, is a root. It must not unwind.
pub type Filter = fn(path: &CStr, segment: Range) -> bool;

// Relaxed, all: a collection goes by what it finds as it begins.
static IS_ALL_LEFT_OUT: AtomicBool = AtomicBool::new(false);
static FILTER: AtomicUsize = AtomicUsize::new(0);
static IS_SEALED_LEFT_OUT: AtomicBool = AtomicBool::new(false);

/// Leaves out what the loader makes read-only before the program runs: tables of addresses of code and of static data.
pub fn leave_sealed_out() {
    IS_SEALED_LEFT_OUT.store(true, Ordering::Relaxed);
}

/// The part of an object's segments that is left out for that; empty if none is.
pub fn sealed(object: &Object<'_>) -> Range {
    if IS_SEALED_LEFT_OUT.load(Ordering::Relaxed) { object.read_only_after_start() } else { Range::default() }
}

/// Leaves all static data out, or no more.
pub fn leave_static_data_out(is_out: bool) {
    if IS_ALL_LEFT_OUT.load(Ordering::Relaxed) != is_out {
        IS_ALL_LEFT_OUT.store(is_out, Ordering::Relaxed);
    }
}

/// Sets who is asked about each segment, or nobody.
pub fn set_filter(filter: Option<Filter>) {
    FILTER.store(filter.map_or(0, |filter| filter as usize), Ordering::Relaxed);
}

/// Whether a segment of an object is a root as a whole.
pub fn is_wanted(object: &Object<'_>, segment: Range) -> bool {
    let filter = FILTER.load(Ordering::Relaxed);
    // SAFETY: stored by `set_filter`.
    let accepts = || unsafe { core::mem::transmute::<usize, Filter>(filter) }(object.path, segment);
    !IS_ALL_LEFT_OUT.load(Ordering::Relaxed) && (filter == 0 || accepts())
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::base::addr::Addr;
    use std::vec::Vec;

    #[test]
    fn what_is_left_out_agrees_with_a_naive_twin() {
        let mut seed = 0x9e37_79b9_7f4a_7c15u64;
        let mut random = move |below: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed as usize % below
        };
        for _ in 0..300 {
            let (mut excluded, mut twin) = (Excluded::new(), [false; 200]);
            for _ in 0..random(12) {
                let start = random(190);
                let end = start + 1 + random(10);
                excluded.add(Range::new(Addr::new(1000 + start), Addr::new(1000 + end))).expect("memory");
                twin[start..end].fill(true);
                let ranges = excluded.ranges.as_slice();
                assert!(ranges.windows(2).all(|pair| pair[0].end < pair[1].start), "{ranges:?}");
            }
            let mut left = Vec::new();
            excluded.without(Range::new(Addr::new(1000), Addr::new(1200)), |part| {
                left.extend(part.start.get() - 1000..part.end.get() - 1000);
            });
            assert_eq!(left, (0..200).filter(|&at| !twin[at]).collect::<Vec<_>>());
            excluded.clear();
        }
    }
}
