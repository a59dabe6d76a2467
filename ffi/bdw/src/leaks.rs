//! Finding what was not freed: with `GC_find_leak`, what a collection finds unreachable is said to be leaked.
//!
//! While the world is stopped the first of them are noted, with what their headers say; they are printed afterwards, by
//! the edge. Then they are taken back like any others.

use crate::{accessors::accessors, data::*};
use core::{
    cell::UnsafeCell,
    ffi::{c_int, c_void},
};
use gleaner::{
    base::{
        addr::Addr,
        sync::{AtomicBool, AtomicUsize, Ordering},
    },
    collect::hooks,
    heap::{resolve, sweep, units},
};

unsafe extern "C" {
    fn gleaner_bdw_describe(base: *const c_void, leak: *mut Leak) -> c_int;
    fn gleaner_bdw_print_leaks();
    fn gleaner_bdw_check_for_leaks_at_exit();
}

/// As many as are told of one by one.
const LEAKS_MAX: usize = 40;

/// `struct leak` of `debug.c`.
#[derive(Clone, Copy)]
#[repr(C)]
struct Leak {
    address: usize,
    bytes: usize,
    is_pointer_free: c_int,
    /// Null: the object has no header.
    file: *const c_void,
    line: usize,
}

struct Leaks(UnsafeCell<[Leak; LEAKS_MAX]>);
// SAFETY: written while the world is stopped, by one thread.
unsafe impl Sync for Leaks {}

static LEAKS: Leaks = Leaks(UnsafeCell::new(
    [Leak { address: 0, bytes: 0, is_pointer_free: 0, file: core::ptr::null(), line: 0 }; LEAKS_MAX],
));
/// How many were found and not printed. Release: pairs with the Acquire of who prints them.
static COUNT: AtomicUsize = AtomicUsize::new(0);
static IS_HOOKED: AtomicBool = AtomicBool::new(false);

/// Begins to look for leaks if the program wants that; for a slow path.
pub fn settle() {
    if GC_find_leak.load(Ordering::Relaxed) != 0 && !IS_HOOKED.swap(true, Ordering::Relaxed) {
        hooks::SETTLED.set(Some(note));
        // SAFETY: no gate is held.
        unsafe { gleaner_bdw_check_for_leaks_at_exit() };
    }
}

/// Notes what is about to be taken back. The world is stopped.
fn note() {
    let mut count = 0;
    sweep::for_each_allocated_word(
        |class| !class.kind().traits().is_uncollectable(),
        |class, unit, index, allocated| {
            let marked = units::words(unit)[index].marked.load(Ordering::Relaxed);
            sweep::for_each_slot(class, unit, index, allocated & !marked, |start| {
                if count < LEAKS_MAX {
                    // SAFETY: the world is stopped, and this is the one thread that writes.
                    unsafe { (*LEAKS.0.get())[count] = describe(start) };
                }
                count += 1;
            });
        },
    );
    COUNT.store(count, Ordering::Release);
}

fn describe(start: Addr) -> Leak {
    let slot = resolve::locate(start);
    let mut leak = Leak {
        address: start.get(),
        bytes: slot.map_or(0, |slot| slot.bytes()),
        is_pointer_free: c_int::from(slot.is_some_and(|slot| !slot.class().kind().traits().may_hold_pointers())),
        file: core::ptr::null(),
        line: 0,
    };
    // SAFETY: an object of the heap, which nobody has taken back yet.
    unsafe { gleaner_bdw_describe(start.as_ptr(), &mut leak) };
    leak
}

/// Says what was found; for the edge.
#[unsafe(no_mangle)]
extern "C" fn gleaner_bdw_report_leaks() {
    if COUNT.load(Ordering::Relaxed) != 0 {
        // SAFETY: no gate is held.
        unsafe { gleaner_bdw_print_leaks() };
    }
}

/// Hands over what was found: how many, and at most so many are at `leaks`.
///
/// # Safety
/// There is room for [`LEAKS_MAX`] at `leaks`.
#[unsafe(no_mangle)]
unsafe extern "C" fn gleaner_bdw_take_leaks(leaks: *mut Leak) -> usize {
    let count = COUNT.swap(0, Ordering::Acquire);
    // SAFETY: by the caller's promise. A collection meanwhile may mix up two lists of leaks, all of them true.
    unsafe { core::ptr::copy_nonoverlapping(LEAKS.0.get().cast::<Leak>(), leaks, count.min(LEAKS_MAX)) };
    count
}

accessors! {
    GC_get_find_leak, GC_set_find_leak: c_int in GC_find_leak;
}
