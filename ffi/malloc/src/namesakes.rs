//! The names of `gc.h`, left to who else has them.
//!
//! Preloaded, our functions come before everybody's but the program's own. A program that is linked with `libgc.so.1` means
//! them, and is to have one heap. But a library may have a collector of its own under these names, an older or changed
//! bdwgc, or something else, and they are not ours to take. So is `libgc.so.1` where this library stands aside. Then what
//! the loaded objects import under these names is bound to the next library that has it, as it would be without us, and what
//! is opened later does not find them here either.
//!
//! Where only a library that is opened later has such a collector, it is bound before anybody could look.
//!
//! Threads: one, of the loader's, before the program begins.

use crate::dormant::is_ours;
use core::ffi::{CStr, c_int};
use gleaner::{
    base::addr::Addr,
    collect::settings,
    os::{
        binding, dl, log,
        statics::{self, Object},
    },
};

/// What everybody has who has any of the names.
const FIRST: &CStr = c"GC_malloc";
const PREFIX: &[u8] = b"GC_";
/// How the names of bdwgc's files begin, ours among them.
const BDWGC: &[u8] = b"libgc.so";

unsafe extern "C" {
    safe fn GC_is_init_called() -> c_int;
}

/// Whether `address` lies in a file whose name begins with bdwgc's.
fn is_bdwgcs(address: Addr) -> bool {
    let mut is_bdwgcs = false;
    statics::for_each_object(|object| {
        let path = object.path.to_bytes();
        let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
        is_bdwgcs |= object.contains(address) && name.starts_with(BDWGC);
    });
    is_bdwgcs
}

fn is_this_library(object: &Object<'_>) -> bool {
    object.contains(Addr::new(is_this_library as *const () as usize))
}

/// Where a name leads without us, if it leads to us.
fn without_us(name: &CStr) -> Option<usize> {
    if !name.to_bytes().starts_with(PREFIX) || !is_ours(dl::any(name) as usize) {
        return None;
    }
    let next = dl::next(name) as usize;
    (next != 0).then_some(next)
}

/// Leaves the names to another library that has them; to `libgc.so.1` only where this one stands aside.
///
/// # Safety
/// One thread runs, and it is in the loader.
pub unsafe fn leave_to_others(stands_aside: bool) {
    let mut is_anybodys = false;
    // Not the program itself, whose path is empty: it comes before us. The loader is asked only if there is one: a look-up
    // that fails allocates.
    statics::for_each_object(|object| {
        is_anybodys |= !object.path.is_empty() && !is_this_library(object) && binding::exports(object, FIRST);
    });
    if !is_anybodys {
        return;
    }
    let next = dl::next(FIRST);
    if next.is_null() || !stands_aside && is_bdwgcs(Addr::of(next)) {
        return;
    }
    // A constructor has used ours: half of it would be ours, and half the other's.
    let is_left = GC_is_init_called() == 0;
    if is_left {
        let mut ours = |name: &CStr| name.to_bytes().starts_with(PREFIX);
        statics::for_each_object(|object| {
            if !is_this_library(object) {
                // SAFETY: by the caller's promise nobody runs its code; it has a name of the type that it was compiled
                // for, since it is bound so without us. It stays loaded as long as it is bound to.
                unsafe { binding::rebind(object, &mut without_us) };
            }
        });
        statics::for_each_object(|object| {
            if is_this_library(object) {
                // SAFETY: the library is never unloaded, and by the caller's promise no other thread runs.
                unsafe { binding::hide(object, &mut ours) };
            }
        });
    }
    if settings::verbose() {
        let place = dl::Place::of(next as usize);
        let outcome =
            if is_left { "left to it" } else { "ours all the same: they were used before they could be left to it" };
        log::print(format_args!("gleaner: gc.h: {place} has a collector of its own; these names are {outcome}"));
    }
}
