//! Whether programs may execute what they write into objects.
//!
//! Pages of the heap can be read and written. A program that compiles into objects asks once for pages that can be
//! executed, too, and then all of the heap's are: those there are, and those that it grows by.

use super::{CAGE, spans};
use crate::{
    base::sync::{AtomicBool, Ordering},
    os::mem::{self, Protection},
};

/// Written under the cage's lock.
static IS_EXECUTABLE: AtomicBool = AtomicBool::new(false);

/// What may be done with the heap's pages.
pub fn protection() -> Protection {
    // Relaxed: whoever grows the heap holds the lock under which it was written.
    Protection { read: true, write: true, execute: IS_EXECUTABLE.load(Ordering::Relaxed) }
}

/// Lets the heap's pages be executed, or no longer. `false`: the system refuses, as it does where a policy forbids memory
/// that is both written and executed; then all is as before.
pub fn set_executable(is_executable: bool) -> bool {
    let cage = CAGE.lock();
    let before = protection();
    let wanted = Protection { execute: is_executable, ..before };
    if wanted == before {
        return true;
    }
    let mut is_done = true;
    spans::for_each_committed(|range| is_done &= range.is_empty() || mem::protect(range, wanted));
    if is_done {
        IS_EXECUTABLE.store(is_executable, Ordering::Relaxed);
    } else {
        spans::for_each_committed(|range| _ = range.is_empty() || mem::protect(range, before));
    }
    drop(cage);
    is_done
}

/// Commits pages of the heap. `false`: the system refuses.
pub(super) fn commit(range: crate::base::addr::Range) -> bool {
    let wanted = protection();
    mem::commit(range) && (!wanted.execute || mem::protect(range, wanted))
}
