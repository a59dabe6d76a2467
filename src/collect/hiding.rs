//! Libraries that hide pointers: what they allocate is reached by numbers that no scan can see through.
//!
//! | library | how it hides them |
//! |---|---|
//! | fontconfig | as distances from the object that holds them, so that its caches can be mapped anywhere |
//! | ruby | in packed structures, at multiples of 4 that are no multiples of 8: the buffers of its `IO` |
//! | SWI-Prolog | the blocks of its growing arrays, each as large as those before it together, by the address less its own size |
//!
//! When such a library is there at the start, what it allocates itself becomes uncollectable: it lives until the
//! library frees it, and is a root, so what it points to lives as well. One that is loaded later may have allocated
//! before anybody could know: then nothing is reclaimed from the next collection on.
//!
//! Holds:   while anything is reclaimed, every listed library that is loaded allocates uncollectable objects only.
//! Threads: libraries are treated while one thread runs; mappings are looked at while the world is stopped.

use super::reports::{self, Reason};
use crate::{
    base::{
        addr::{Addr, Range},
        sync::{AtomicUsize, Ordering},
    },
    os::{binding, maps::Mapping, statics},
};
use core::ffi::CStr;

/// How the names of their files begin.
const NAMES: [&[u8]; 3] = [b"libfontconfig.so", b"libruby", b"libswipl.so"];

/// Where those lie that allocate uncollectable objects. Relaxed throughout: written while one thread runs, and every
/// thread that ever collects was made by it, or is it.
static TREATED: [Place; 4] = [const { Place { start: AtomicUsize::new(0), end: AtomicUsize::new(0) } }; 4];

struct Place {
    start: AtomicUsize,
    end: AtomicUsize,
}

impl Place {
    fn take(&self, range: Range) -> bool {
        let is_free = self.end.load(Ordering::Relaxed) == 0;
        if is_free {
            self.start.store(range.start.get(), Ordering::Relaxed);
            self.end.store(range.end.get(), Ordering::Relaxed);
        }
        is_free
    }

    fn contains(&self, addr: Addr) -> bool {
        (self.start.load(Ordering::Relaxed)..self.end.load(Ordering::Relaxed)).contains(&addr.get())
    }
}

fn hides_pointers(path: &[u8]) -> bool {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
    NAMES.iter().any(|listed| name.starts_with(listed))
}

/// A function, and what is to be called in its place.
pub type Replacement<'a> = (&'a CStr, usize);

/// Makes the listed libraries that are loaded allocate by the functions given.
///
/// # Safety
/// One thread runs, none of the listed libraries is ever unloaded, and each function has the type of what it replaces.
pub unsafe fn treat_loaded(replacements: &[Replacement<'_>]) {
    let mut find = |name: &CStr| replacements.iter().find(|(replaced, _)| *replaced == name).map(|&(_, other)| other);
    statics::for_each_object(|object| {
        // SAFETY: by the caller's promise.
        if hides_pointers(object.path.to_bytes()) && unsafe { binding::rebind(object, &mut find) } {
            // Where there is no room left, nothing will be reclaimed.
            let _ = TREATED.iter().find(|place| place.take(object.extent()));
        }
    });
}

/// Looks at a mapping that a collection meets. `true`: there is a library that hides pointers; nothing may be reclaimed
/// now, and nothing is from now on.
pub fn forbids_reclaiming(mapping: &Mapping<'_>) -> bool {
    let is_untreated = mapping.executable
        && hides_pointers(mapping.name)
        && !TREATED.iter().any(|place| place.contains(mapping.range.start));
    if is_untreated {
        reports::stop_reclaiming(Reason::HidesPointers(core::str::from_utf8(mapping.name).unwrap_or("a library")));
    }
    is_untreated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_known_by_the_name_of_their_file() {
        assert!(hides_pointers(b"/usr/lib/x86_64-linux-gnu/libfontconfig.so.1.12.0"));
        assert!(hides_pointers(b"libruby-3.1.so.3.1"));
        assert!(!hides_pointers(b"/opt/libruby/libother.so") && !hides_pointers(b""));
    }

    #[test]
    fn a_place_is_taken_once_and_holds_what_lies_in_it() {
        let place = Place { start: AtomicUsize::new(0), end: AtomicUsize::new(0) };
        assert!(!place.contains(Addr::NULL));
        assert!(place.take(Range::new(Addr::new(16), Addr::new(32))));
        assert!(!place.take(Range::new(Addr::new(64), Addr::new(80))));
        assert!(place.contains(Addr::new(16)) && !place.contains(Addr::new(32)) && !place.contains(Addr::new(64)));
    }
}
