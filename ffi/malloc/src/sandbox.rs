//! Filters of system calls that a program brings for itself: before one is there, collecting ends.
//!
//! A thread with a filter could not even be stopped: its handler may be ended by the first call it makes. So nothing is
//! collected from then on, and the heap keeps to calls about memory (`gleaner::os::filter`).

use crate::regions::Original;
use core::ffi::{c_int, c_long};
use gleaner::{
    collect::{
        reports::{self, Reason},
        world,
    },
    os::filter,
};

static PRCTL: Original = Original::new(c"prctl");

/// Looks the original up while one thread runs.
pub fn find_original() {
    PRCTL.find();
}

const PR_SET_SECCOMP: usize = 22;
const SYS_PRCTL: c_long = 157;
const SYS_SECCOMP: c_long = 317;

/// What the older call takes for a filter; anything else of it that succeeds is the strict mode.
const MODE_FILTER: usize = 2;
/// What the newer one takes.
const SET_STRICT: usize = 0;
const SET_FILTER: usize = 1;

/// Whether a call brings a filter. One without a filter asks only whether it could.
fn brings_filter(number: c_long, arguments: [usize; 3]) -> bool {
    match (number, arguments) {
        (SYS_PRCTL, [PR_SET_SECCOMP, MODE_FILTER, filter]) => filter != 0,
        (SYS_PRCTL, [PR_SET_SECCOMP, ..]) => true,
        (SYS_SECCOMP, [SET_FILTER, _, filter]) => filter != 0,
        (SYS_SECCOMP, [operation, ..]) => operation == SET_STRICT,
        _ => false,
    }
}

/// A program is about to make a system call by its number, or by [`prctl`]. A `vfork` child's filter is not ours.
pub fn note_call(number: c_long, arguments: [usize; 3]) {
    if brings_filter(number, arguments) && world::is_own_process() {
        reports::stop_reclaiming(Reason::Filter);
        filter::become_strict();
        // One that is under way comes to its end first.
        drop(world::hold());
    }
}

type Prctl = unsafe extern "C" fn(c_int, usize, usize, usize, usize) -> c_int;

/// Linux: as the C library's, whose last arguments may be missing.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prctl(option: c_int, second: usize, third: usize, fourth: usize, fifth: usize) -> c_int {
    note_call(SYS_PRCTL, [option as usize, second, third]);
    // SAFETY: the C library's function of that type, or one that says that there is none.
    let original = unsafe { core::mem::transmute::<*mut core::ffi::c_void, Prctl>(PRCTL.find()) };
    // SAFETY: by the caller's promise; it looks at an argument only if the option has it.
    unsafe { original(option, second, third, fourth, fifth) }
}
