//! Words that are cleared when the object they lead to goes.

use crate::{control::settle, data::*};
use core::ffi::{c_int, c_void};
use gleaner::{
    base::{
        addr::{Addr, Ambiguous},
        sync::Ordering,
    },
    collect::{allocate, links::Moved, weak::WeakKind},
    heap::resolve,
};

const SUCCESS: c_int = 0;
const DUPLICATE: c_int = 1;
const NO_MEMORY: c_int = 2;
const UNIMPLEMENTED: c_int = 3;
const NOT_FOUND: c_int = 4;

/// Where a link is, if it can be one.
fn place(link: *mut *mut c_void) -> Option<Addr> {
    let at = Addr::of(link);
    (!at.is_null() && at.get().is_multiple_of(size_of::<usize>())).then_some(at)
}

fn register(kind: WeakKind, function: &str, link: *mut *mut c_void, object: *const c_void) -> c_int {
    let Some(at) = place(link) else {
        gleaner::fatal!("{function}: {link:?} is not the address of a word: Bad arg to {function}");
    };
    if GC_find_leak.load(Ordering::Relaxed) != 0 {
        return UNIMPLEMENTED;
    }
    settle();
    // What is not on the heap stays for ever.
    let Some(slot) = resolve::resolve(Ambiguous(object as usize)) else { return SUCCESS };
    match allocate::with_tables(|tables| tables.links.register(kind, at, slot.start())) {
        Some(Ok(false)) => SUCCESS,
        Some(Ok(true)) => DUPLICATE,
        _ => NO_MEMORY,
    }
}

fn unregister(kind: WeakKind, link: *mut *mut c_void) -> c_int {
    let removed = place(link).and_then(|at| allocate::with_tables(|tables| tables.links.unregister(kind, at)));
    c_int::from(removed == Some(true))
}

fn relocate(kind: WeakKind, function: &str, link: *mut *mut c_void, new: *mut *mut c_void) -> c_int {
    let Some(to) = place(new) else {
        gleaner::fatal!("{function}: {new:?} is not the address of a word: Bad new_link arg to {function}");
    };
    let moved = place(link).and_then(|from| allocate::with_tables(|tables| tables.links.relocate(kind, from, to)));
    match moved {
        Some(Moved::Done) => SUCCESS,
        Some(Moved::Occupied) => DUPLICATE,
        Some(Moved::NotFound) | None => NOT_FOUND,
    }
}

/// # Safety
/// `link` can be read and, until it is taken back, written to.
#[unsafe(no_mangle)]
unsafe extern "C" fn GC_register_disappearing_link(link: *mut *mut c_void) -> c_int {
    const NAME: &str = "GC_register_disappearing_link";
    // SAFETY: by the caller's promise, unless it is null.
    let object = if place(link).is_some() { unsafe { link.read() } } else { core::ptr::null_mut() };
    if resolve::resolve(Ambiguous(object as usize)).is_none() {
        gleaner::fatal!("{NAME}: {object:?} in it is no object: Bad arg to {NAME}");
    }
    register(WeakKind::Short, NAME, link, object)
}

#[unsafe(no_mangle)]
extern "C" fn GC_general_register_disappearing_link(link: *mut *mut c_void, object: *const c_void) -> c_int {
    register(WeakKind::Short, "GC_general_register_disappearing_link", link, object)
}

#[unsafe(no_mangle)]
extern "C" fn GC_unregister_disappearing_link(link: *mut *mut c_void) -> c_int {
    unregister(WeakKind::Short, link)
}

#[unsafe(no_mangle)]
extern "C" fn GC_move_disappearing_link(link: *mut *mut c_void, new: *mut *mut c_void) -> c_int {
    relocate(WeakKind::Short, "GC_move_disappearing_link", link, new)
}

#[unsafe(no_mangle)]
extern "C" fn GC_register_long_link(link: *mut *mut c_void, object: *const c_void) -> c_int {
    register(WeakKind::Long, "GC_register_long_link", link, object)
}

#[unsafe(no_mangle)]
extern "C" fn GC_unregister_long_link(link: *mut *mut c_void) -> c_int {
    unregister(WeakKind::Long, link)
}

#[unsafe(no_mangle)]
extern "C" fn GC_move_long_link(link: *mut *mut c_void, new: *mut *mut c_void) -> c_int {
    relocate(WeakKind::Long, "GC_move_long_link", link, new)
}
