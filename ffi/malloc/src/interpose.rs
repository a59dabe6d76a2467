//! What is wrapped so that every thread is known and the heap can be read.

use core::ffi::{c_int, c_void};
use gleaner::{
    base::{
        addr::{Addr, Range},
        sync::{AtomicPtr, AtomicU32, Ordering},
    },
    collect::closed,
    heap::mutator::{self, Mutator},
    os::{dl, mem, written},
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
            #[unsafe(link_section = ".text.hot")]
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

/// What has interrupted this thread so far: how many calls the stop signal has cut short, and how many handlers of the
/// program's have run. For the edge.
#[repr(C)]
pub struct Interruptions {
    calls_cut_short: u32,
    handlers_run: u32,
}

/// See [`Interruptions`].
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_interruptions() -> Interruptions {
    let mutator = mutator::current_or_hidden();
    let count = |of: fn(&Mutator) -> &AtomicU32| mutator.map_or(0, |mutator| of(mutator).load(Ordering::Relaxed));
    Interruptions {
        calls_cut_short: count(|mutator| &mutator.calls_cut_short),
        handlers_run: count(|mutator| &mutator.handlers_run),
    }
}

/// Sets how many calls of this thread's the stop signal has cut short. For the edge.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_set_calls_cut_short(count: u32) {
    if let Some(mutator) = mutator::current_or_hidden() {
        mutator.calls_cut_short.store(count, Ordering::Relaxed);
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
