//! Blindness: in a debug build, places can be left out of the search, so that a test can show that it would fail.
//!
//! A test that hides the only pointer to an object in some place shows little by its success: the pointer may lie elsewhere
//! too, or nothing may have been collected. It has to be lost when the search is blind to that place (the option
//! `blind=PLACE,PLACE`). The same for what shows an access to a condemned object. Optimised builds search every place, and
//! have no such option.
//!
//! Holds:   without debug assertions nothing is left out, and asking costs nothing.
//! Threads: set while one thread runs; asked by whoever visits the place.

#[cfg(debug_assertions)]
use crate::base::sync::{AtomicU64, Ordering};

macro_rules! places {
    ($($(#[$doc:meta])* $place:ident $name:literal,)*) => {
        /// A place where a program may keep the only pointer to an object.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Place {
            $($(#[$doc])* $place,)*
        }

        /// The names of the places.
        #[cfg(debug_assertions)]
        const NAMES: &[(&str, Place)] = &[$(($name, Place::$place),)*];
    };
}

places! {
    /// Registers of stopped threads.
    Registers "registers",
    /// The frames of threads' stacks.
    Frames "frames",
    /// The main thread's stack from its first frame on: arguments, environment.
    StackTop "stack_top",
    /// Control blocks and static thread-local storage of all but the main thread.
    Control "control",
    /// Mappings of files: static data.
    Files "files",
    /// Private anonymous mappings that the kernel gives no name, the main thread's static thread-local storage among them.
    Anonymous "anonymous",
    /// What `brk` has given.
    Brk "brk",
    /// Code that the program has made.
    Code "code",
    /// Memory that is shared with other processes, or can be.
    Shared "shared",
    /// What the program has written and may now not both read and write.
    Closed "closed",
    /// Control blocks of threads that have ended.
    Ended "ended",
    /// What the kernel holds for the program.
    Held "held",
    /// What is on its way through the kernel.
    Sent "sent",
    /// Rings of requests to the kernel.
    Rings "rings",
    /// Alternate stacks for signals.
    Alternate "alternate",
    /// Processes that live in our memory without being threads of ours.
    Sharers "sharers",
    /// Addresses that `setjmp` has mangled.
    Mangled "mangled",
    /// Large objects that may be arrays of packed structures, at every fourth byte.
    Packed "packed",
    /// Pages of large mappings that were written after they had been read.
    Written "written",
    /// Pages of condemned objects (`collect=verify`).
    Barred "barred",
    /// Sums of condemned objects.
    Sums "sums",
    /// Calls that free or move condemned objects.
    Calls "calls",
    /// Calls that hand condemned objects to the kernel.
    Passed "passed",
}

#[cfg(debug_assertions)]
static BLIND: AtomicU64 = AtomicU64::new(0);

/// Whether the place is left out.
#[cfg(debug_assertions)]
pub fn is_blind(place: Place) -> bool {
    // Relaxed: set before the program runs.
    BLIND.load(Ordering::Relaxed) >> place as u32 & 1 != 0
}

/// Whether the place is left out: none is.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub const fn is_blind(_: Place) -> bool {
    false
}

/// Leaves the places out whose names are given, with commas between them. `false`: one of them is unknown.
#[cfg(debug_assertions)]
pub fn set(names: &str) -> bool {
    names.split(',').all(|name| {
        let found = NAMES.iter().find(|(known, _)| *known == name);
        found.map(|&(_, place)| BLIND.fetch_or(1 << place as u32, Ordering::Relaxed)).is_some()
    })
}
