//! Threads and processes that a program makes past the C library.
//!
//! One that is made in this memory without a control block of its own shares its maker's: from then on no call is opened as
//! a region, unless its maker waits for it. One that is made in this memory as a process of its own cannot be stopped: while it is there nothing is collected.

use crate::regions::Original;
use core::ffi::{c_int, c_long, c_void};
use gleaner::{
    base::sync::Ordering,
    collect::{
        reports::{self, Reason},
        world::sharers::{self, Making},
    },
    heap::region,
};

static CLONE: Original = Original::new(c"clone");

/// Looks the original up while one thread runs.
pub fn find_original() {
    CLONE.find();
}

/// `clone3`.
const NEWER_CALL: c_long = 435;

const CLONE_VM: u64 = 0x100;
const CLONE_VFORK: u64 = 0x4000;
const CLONE_SETTLS: u64 = 0x8_0000;

fn shares_control_block(flags: u64) -> bool {
    flags & (CLONE_VM | CLONE_SETTLS) == CLONE_VM
}

type Clone = unsafe extern "C" fn(
    run: *mut c_void,
    stack: *mut c_void,
    flags: c_int,
    argument: *mut c_void,
    parent_id: *mut c_void,
    storage: *mut c_void,
    child_id: *mut c_void,
) -> c_int;

/// Linux: as the C library's, whose last three arguments may be missing.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clone(
    run: *mut c_void,
    stack: *mut c_void,
    flags: c_int,
    argument: *mut c_void,
    parent_id: *mut c_void,
    storage: *mut c_void,
    child_id: *mut c_void,
) -> c_int {
    let is_shared = shares_control_block(flags as u64);
    if is_shared {
        region::SUSPENDED.fetch_add(1, Ordering::Relaxed);
    }
    let making = sharers::is_made_by(flags as u64).then(Making::begin);
    // SAFETY: the C library's function of that type, or one that says that there is none.
    let original = unsafe { core::mem::transmute::<*mut c_void, Clone>(CLONE.find()) };
    // SAFETY: by the caller's promise; it looks at an argument only if the flags say that it is there.
    let made = unsafe { original(run, stack, flags, argument, parent_id, storage, child_id) };
    if let Some(making) = making {
        making.end((made > 0).then_some(made as u32));
    }
    // It has called `exec` or ended, or there is none.
    if is_shared && (made < 0 || flags as u64 & CLONE_VFORK != 0) {
        region::SUSPENDED.fetch_sub(1, Ordering::Relaxed);
    }
    made
}

/// A program is about to make a thread or a process by a bare system call, which may not return to us. Its first argument
/// has the flags, or, of the newer call, points to a structure that begins with them.
pub fn note_bare(number: c_long, first: usize) {
    // SAFETY: by the program's promise to the kernel.
    let flags = if number == NEWER_CALL { unsafe { (first as *const u64).read_unaligned() } } else { first as u64 };
    if shares_control_block(flags) {
        region::SUSPENDED.fetch_add(1, Ordering::Relaxed);
    }
    if sharers::is_made_by(flags) {
        reports::stop_reclaiming(Reason::SharesMemory);
    }
}
