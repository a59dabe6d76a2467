//! The kernel's search of page tables, `PAGEMAP_SCAN`, as `linux/fs.h` has it (Linux 6.7).
//!
//! Threads: anyone. Questions that protect pages are the collecting thread's.

use super::sys::{self, File};
use crate::base::addr::{Addr, Range};

/// The page was written since it was last protected.
pub const WRITTEN: u64 = 1 << 1;
/// It is a file's.
pub const OF_A_FILE: u64 = 1 << 2;
/// It is in memory.
pub const PRESENT: u64 = 1 << 3;
/// It has been swapped out.
pub const SWAPPED: u64 = 1 << 4;
/// It is the page of zeroes that stands for pages which were only read.
pub const ZEROES: u64 = 1 << 5;

/// A flag: the pages found are protected against writing.
pub const PROTECT: u64 = 1;
/// A flag: it is an error if some part of the range is not registered for that.
pub const ALL_REGISTERED: u64 = 2;

/// What is asked: the pages that are none of some kinds, all of others, and any of more. What is told of each run is which of
/// the last it is.
#[derive(Clone, Copy)]
pub struct Question {
    /// Flags.
    pub flags: u64,
    /// What no page is.
    pub none_of: u64,
    /// What each is.
    pub all_of: u64,
    /// Of these it is one at least.
    pub any_of: u64,
}

/// A run of pages of which the same is true.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Run {
    start: u64,
    end: u64,
    kinds: u64,
}

impl Run {
    /// The pages.
    pub fn range(&self) -> Range {
        Range::new(Addr::new(self.start as usize), Addr::new(self.end as usize))
    }

    /// Whether they are of this kind.
    pub fn is(&self, kind: u64) -> bool {
        self.kinds & kind != 0
    }
}

const REQUEST: usize = 0xc060_6610;

/// A page counts when, the inverted kinds turned over, it has all of the mask and any of the others.
#[repr(C)]
struct Arguments {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    runs: u64,
    runs_max: u64,
    pages_max: u64,
    inverted: u64,
    mask: u64,
    any: u64,
    told: u64,
}

/// The first runs in a range, and where the search for more goes on. `table`: the thread's `pagemap`.
pub fn runs<'a>(
    table: &File,
    range: Range,
    question: Question,
    found: &'a mut [Run],
) -> Result<(&'a [Run], Addr), i32> {
    let mut arguments = Arguments {
        size: size_of::<Arguments>() as u64,
        flags: question.flags,
        start: range.start.get() as u64,
        end: range.end.get() as u64,
        walk_end: 0,
        runs: found.as_mut_ptr() as u64,
        runs_max: found.len() as u64,
        pages_max: 0,
        inverted: question.none_of,
        mask: question.none_of | question.all_of,
        any: question.any_of,
        told: question.any_of,
    };
    let args = [table.descriptor() as usize, REQUEST, &raw mut arguments as usize, 0, 0, 0];
    // SAFETY: the kernel writes into `arguments` and, at most as many as it has room for, into `found`.
    let count = sys::checked(unsafe { sys::call(libc::SYS_ioctl, args) })?;
    Ok((&found[..count], Addr::new(arguments.walk_end as usize)))
}
