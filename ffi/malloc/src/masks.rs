//! The masks of signals: what keeps the stop signal deliverable.
//!
//! The signal is taken out of what a program blocks or waits for, if that is nearly everything. A program that names it
//! there claims it, and the engine moves to another. Where a thread has blocked it all the same, by a context that it
//! switches to or before it was ours, it is stopped in another way (`collect::world`), and does not see what is pending.
//!
//! Threads: any.

use crate::{faults, regions::Original};
use core::{
    ffi::{c_int, c_void},
    mem::transmute,
};
use gleaner::{collect::world, os::signal};
use gleaner_abi::exports::errno;

static SIGPENDING: Original = Original::new(c"sigpending");
static SIGHOLD: Original = Original::new(c"sighold");
static ATTRIBUTES: Original = Original::new(c"pthread_attr_setsigmask_np");

/// Looks all up while one thread runs.
pub fn find_originals() {
    for original in [&SIGPENDING, &SIGHOLD, &ATTRIBUTES] {
        original.find();
    }
}

const BLOCK: c_int = 0;
const UNBLOCK: c_int = 1;
const SET: c_int = 2;

/// What a program waits for when it waits for `set`. For the edge.
///
/// A signal that it claims by that is blocked from now on: it had to be before, and was not because it was ours.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_awaited(set: signal::Set) -> signal::Set {
    let ours = world::stop_signal();
    let rest = without_ours(set) | set & INTERNAL;
    if ours != 0 && rest & signal::set_of(ours) != 0 {
        signal::change_mask(BLOCK, signal::set_of(ours));
    }
    rest
}

/// Signals that the C library keeps for itself: cancellation and set*id.
const INTERNAL: signal::Set = signal::set_of(32) | signal::set_of(33);

/// A set without the signals that the program must not block. If it claims the stop signal, that is another afterwards.
pub fn without_ours(set: signal::Set) -> signal::Set {
    // A `vfork` child's mask is its own, the signal its parent's.
    if world::is_claimed_by(set) && world::is_own_process() {
        let _world = world::hold();
        // Again: another thread may have claimed it meanwhile. Without another signal it stays ours.
        let _ = world::is_claimed_by(set) && world::give_up_signal(set);
    }
    let ours = world::stop_signal();
    // The kernel ends a process for a fault that is blocked.
    let faults = if faults::are_looked_at(signal::FAULT) { signal::set_of(signal::FAULT) } else { 0 };
    set & !INTERNAL & !faults & !if ours == 0 { 0 } else { signal::set_of(ours) }
}

/// POSIX: changes the calling thread's mask; the stop signal is never blocked. An error value.
///
/// # Safety
/// `new` and `old` are null or sets.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_sigmask(how: c_int, new: *const signal::Set, old: *mut signal::Set) -> c_int {
    if !new.is_null() && !(BLOCK..=SET).contains(&how) {
        return errno::EINVAL;
    }
    // SAFETY: by the caller's promise; the kernel's set is the first word of the C library's.
    unsafe {
        let former = if new.is_null() {
            signal::change_mask(0, 0)
        } else {
            let set = *new;
            signal::change_mask(how, if how == UNBLOCK { set } else { without_ours(set) })
        };
        if !old.is_null() {
            *old = former;
        }
    }
    0
}

/// POSIX: as [`pthread_sigmask`], with `errno`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sigprocmask(how: c_int, new: *const signal::Set, old: *mut signal::Set) -> c_int {
    // SAFETY: by the caller's promise.
    match unsafe { pthread_sigmask(how, new, old) } {
        0 => 0,
        error => {
            errno::set(error);
            -1
        }
    }
}

/// A set as 4.2BSD has it: the first 32 signals. Most of them stand for all, of which such a set names none.
fn set_of_bsd(mask: c_int) -> signal::Set {
    let set = signal::Set::from(mask as u32);
    let others = if mask.count_ones() > u32::BITS / 2 { signal::ALL << u32::BITS } else { 0 };
    without_ours(set | others) & signal::Set::from(u32::MAX)
}

/// 4.2BSD: blocks more signals; as [`pthread_sigmask`]. Gives the set from before.
#[unsafe(no_mangle)]
pub extern "C" fn sigblock(mask: c_int) -> c_int {
    signal::change_mask(BLOCK, set_of_bsd(mask)) as c_int
}

/// 4.2BSD: blocks these signals and no others; as [`pthread_sigmask`]. Gives the set from before.
#[unsafe(no_mangle)]
pub extern "C" fn sigsetmask(mask: c_int) -> c_int {
    signal::change_mask(SET, set_of_bsd(mask)) as c_int
}

/// System V: blocks one signal, which the program claims if it is ours.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sighold(number: c_int) -> c_int {
    if (1..=signal::Set::BITS as c_int).contains(&number) {
        without_ours(signal::set_of(number));
    }
    // SAFETY: the C library's function of that type.
    let original: extern "C" fn(c_int) -> c_int = unsafe { transmute(SIGHOLD.find()) };
    original(number)
}

/// GNU: a thread that is made with these attributes never blocks the stop signal. An error value.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_attr_setsigmask_np(attributes: *mut c_void, set: *const [signal::Set; 16]) -> c_int {
    type SetMask = unsafe extern "C" fn(*mut c_void, *const [signal::Set; 16]) -> c_int;
    // SAFETY: by the caller's promise it is null or a set.
    let mut set = unsafe { set.as_ref() }.copied();
    if let Some(set) = &mut set {
        set[0] = without_ours(set[0]);
    }
    let set = set.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
    // SAFETY: the C library's function of that type; the rest by the caller's promise.
    unsafe { transmute::<*mut c_void, SetMask>(ATTRIBUTES.find())(attributes, set) }
}

/// POSIX: the signals that wait to be let in, without the stop signal.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sigpending(set: *mut signal::Set) -> c_int {
    // SAFETY: the C library's function of that type.
    let original: unsafe extern "C" fn(*mut signal::Set) -> c_int = unsafe { transmute(SIGPENDING.find()) };
    let ours = world::stop_signal();
    // SAFETY: by the caller's promise; the kernel's set is the first word of the C library's.
    unsafe {
        let result = original(set);
        if result == 0 && ours != 0 {
            *set &= !signal::set_of(ours);
        }
        result
    }
}
