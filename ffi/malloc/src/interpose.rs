//! What is wrapped so that every thread is known, the stop signal stays deliverable, and the heap can be read.
//!
//! The signal is taken out of what a program blocks or waits for, if that is nearly everything. A program that names it
//! there claims it, and the engine moves to another.

use crate::faults;
use core::ffi::{c_int, c_void};
use gleaner::{
    base::{
        addr::{Addr, Range},
        sync::{AtomicPtr, Ordering},
    },
    collect::{closed, world},
    heap::mutator,
    os::{dl, mem, signal, written},
};
use gleaner_abi::exports::errno;

/// Wraps functions of the C library: `name` is exported and jumps to its edge, which calls the original.
macro_rules! wrap {
    ($($(#[$doc:meta])* $name:ident: $text:literal, $edge:ident, $original:ident;)*) => {
        $(
            unsafe extern "C" {
                fn $edge();
            }

            $(#[$doc])*
            ///
            /// # Safety
            /// As the C library's.
            #[unsafe(no_mangle)]
            #[unsafe(naked)]
            pub unsafe extern "C" fn $name() {
                core::arch::naked_asm!("jmp {edge}", edge = sym $edge)
            }

            /// The C library's function of that name. For the edge.
            #[unsafe(no_mangle)]
            pub extern "C" fn $original() -> *mut c_void {
                // Relaxed: the address of code, the same whoever finds it.
                static FUNCTION: AtomicPtr<c_void> = AtomicPtr::new(core::ptr::null_mut());
                if FUNCTION.load(Ordering::Relaxed).is_null() {
                    FUNCTION.store(dl::next($text), Ordering::Relaxed);
                }
                FUNCTION.load(Ordering::Relaxed)
            }
        )*

        /// Looks the wrapped functions up while one thread runs.
        pub fn find_originals() {
            $($original();)*
        }
    };
}

pub(crate) use wrap;

wrap! {
    /// POSIX: the new thread has a record before it runs its routine.
    pthread_create: c"pthread_create", gleaner_edge_pthread_create, gleaner_real_pthread_create;
    /// C: the same.
    thrd_create: c"thrd_create", gleaner_edge_thrd_create, gleaner_real_thrd_create;
    /// Linux: takes no stop signal.
    signalfd: c"signalfd", gleaner_edge_signalfd, gleaner_real_signalfd;
}

/// A thread is about to be made. For the edge.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_expect_thread() {
    mutator::expect_thread();
}

/// Bytes of this thread's own stack below an address in it; zero where that is not known. For the edge.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_stack_below(frame: *const c_void) -> usize {
    let frame = Addr::of(frame);
    let stack = mutator::current().map(|mutator| mutator.stack()).filter(|stack| stack.contains(frame));
    stack.map_or(0, |stack| frame - stack.start)
}

/// What a program waits for when it waits for `set`. For the edge.
///
/// A signal that it claims by that is blocked from now on: it had to be before, and was not because it was ours.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_awaited(set: signal::Set) -> signal::Set {
    let ours = world::stop_signal();
    let rest = without_ours(set) | set & INTERNAL;
    if ours != 0 && rest & signal::set_of(ours) != 0 {
        const BLOCK: c_int = 0;
        signal::change_mask(BLOCK, signal::set_of(ours));
    }
    rest
}

/// How many calls of this thread's the stop signal has cut short. For the edge.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_calls_cut_short() -> u32 {
    mutator::current_or_hidden().map_or(0, |mutator| mutator.calls_cut_short.load(Ordering::Relaxed))
}

/// Sets what [`gleaner_calls_cut_short`] says. For the edge.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_set_calls_cut_short(count: u32) {
    if let Some(mutator) = mutator::current_or_hidden() {
        mutator.calls_cut_short.store(count, Ordering::Relaxed);
    }
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
    if !new.is_null() && !(0..=2).contains(&how) {
        return errno::EINVAL;
    }
    // SAFETY: by the caller's promise; the kernel's set is the first word of the C library's.
    unsafe {
        let former = if new.is_null() {
            signal::change_mask(0, 0)
        } else {
            const UNBLOCK: c_int = 1;
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

/// POSIX: changes what may be done with pages, and lets the collector know of those in the heap.
#[unsafe(no_mangle)]
pub extern "C" fn mprotect(start: *mut c_void, bytes: usize, protection: c_int) -> c_int {
    const READ_AND_WRITE: c_int = 3;
    let may_read_and_write = protection & READ_AND_WRITE == READ_AND_WRITE;
    let range = Range::sized(Addr::of(start), bytes);
    closed::note(range, may_read_and_write);
    match mem::change_protection(range, protection) {
        Ok(()) => 0,
        Err(error) => {
            errno::set(error);
            -1
        }
    }
}

/// Linux: as the C library's. The kernel moves one mapping only. Those that it keeps apart because one of them is asked
/// about ([`written`]) are made one again first.
///
/// # Safety
/// As the C library's; `to` is looked at with `MREMAP_FIXED` and `MREMAP_DONTUNMAP` only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mremap(
    from: *mut c_void,
    bytes: usize,
    bytes_wanted: usize,
    flags: c_int,
    to: *mut c_void,
) -> *mut c_void {
    let range = Range::sized(Addr::of(from), mem::round_up(bytes));
    // SAFETY: by the caller's promise.
    let remap = || unsafe { mem::move_mapping(Range::sized(Addr::of(from), bytes), bytes_wanted, flags, Addr::of(to)) };
    // Before: some kernels move what comes before a registered part, and fail then.
    written::release(range);
    let moved = match remap() {
        Err(errno::EFAULT) if written::join_inherited(range) => remap(),
        outcome => outcome,
    };
    match moved {
        Ok(to) => to.as_ptr(),
        Err(error) => {
            errno::set(error);
            MAP_FAILED
        }
    }
}

const MAP_FAILED: *mut c_void = core::ptr::without_provenance_mut(usize::MAX);
