//! Filters of system calls (`seccomp`): a call that one does not know may end the process.
//!
//! A filter cannot be asked what it lets pass. One that was there before the program, as containers have it, is tried: by
//! a child that lives in our memory for a moment and makes the calls of a collection, with arguments that do nothing. If
//! it dies of that, or a program brings a filter of its own, the filter is *strict*: from then on what the heap needs are
//! calls about memory and futexes, and what this floor can do without is not asked for.
//!
//! Holds:   under a strict filter nobody calls `membarrier`, asks for limits or the bounds of a stack, or counts threads.
//! Threads: a filter becomes strict on the thread that brings it, before that; the trial runs while one thread does.

use super::{
    bare::{self, Ids},
    lines::{self, Line},
    memcheck,
    sys::{self, File},
    thread,
};
use crate::base::{
    addr::Addr,
    sync::{AtomicBool, Ordering},
};
use core::{ffi::c_void, mem::MaybeUninit, ptr::null_mut};

/// Relaxed: who brings a filter says so first, and to others it is as good as none.
static IS_STRICT: AtomicBool = AtomicBool::new(false);

/// Whether only calls about memory and futexes may be made.
pub fn is_strict() -> bool {
    IS_STRICT.load(Ordering::Relaxed)
}

/// From now on only calls about memory and futexes are made.
pub fn become_strict() {
    thread::fence_without_help();
    IS_STRICT.store(true, Ordering::Relaxed);
}

/// Whether the process has a filter; if it cannot be found out, none.
///
/// By calls that the loader makes to start any program.
pub fn is_there() -> bool {
    let Ok(status) = File::open(c"/proc/self/status") else { return false };
    let mut is_there = false;
    let mut buffer = [0; 1024];
    let _ = lines::for_each(&status, &mut buffer, |line| {
        if let Line::Whole(line) = line {
            is_there |= line.strip_prefix(b"Seccomp:\t").is_some_and(|mode| mode != b"0");
        }
    });
    is_there
}

/// What a collection calls beside what the loader does.
const OF_A_COLLECTION: [i64; 17] = [
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_tgkill,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigaction,
    libc::SYS_futex,
    libc::SYS_membarrier,
    libc::SYS_madvise,
    libc::SYS_getdents64,
    libc::SYS_process_vm_readv,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_prlimit64,
    libc::SYS_sysinfo,
    libc::SYS_newfstatat,
    libc::SYS_readlinkat,
];

/// In the child, which has no thread-local storage of its own.
extern "C" fn make_calls(_: *mut c_void) {
    const CORE: usize = 4;
    // No image of its memory is left behind: where one goes to a program, the kernel takes this size for none.
    let none = [1usize; 2];
    // SAFETY: the first changes the child's limit alone; what the others are given is no memory, no thread, no file.
    unsafe {
        sys::call(libc::SYS_prlimit64, [0, CORE, none.as_ptr() as usize, 0, 0, 0]);
        for number in OF_A_COLLECTION {
            sys::call(number, [usize::MAX; 6]);
        }
    }
}

/// Whether a collection would end the process.
pub fn ends_collectors() -> bool {
    if memcheck::is_running() {
        // It would have to know such a child.
        return false;
    }
    const STACK_WORDS: usize = 1024;
    const FLAGS: i32 = libc::CLONE_VM | libc::CLONE_VFORK;
    let mut stack = [MaybeUninit::<u128>::uninit(); STACK_WORDS];
    let top = Addr::of(stack.as_mut_ptr_range().end);
    // SAFETY: the child runs `make_calls` on an array of ours, while we wait for its end.
    let child = unsafe { bare::start(FLAGS, top, &Ids::NONE, Addr::NULL, make_calls, null_mut()) };
    let mut status = 0i32;
    // SAFETY: `status` is ours. The child sends no signal when it ends, and is not waited for otherwise.
    let waited = unsafe {
        sys::call(libc::SYS_wait4, [child as usize, &raw mut status as usize, libc::__WCLONE as usize, 0, 0, 0])
    };
    child < 0 || waited != child || status != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trial_passes_where_nothing_is_filtered() {
        if !is_there() {
            assert!(!ends_collectors());
        }
    }
}
