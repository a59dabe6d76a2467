//! What is wrapped so that every thread is known, the stop signal stays deliverable and cuts no call short, and the heap
//! can be read.
//!
//! The signal is taken out of what a program blocks or waits for; a program that claims it for itself gets it, and the
//! engine moves to another.

use core::ffi::{c_int, c_void};
use gleaner::{
    base::{
        addr::{Addr, Range},
        sync::{AtomicPtr, Ordering},
    },
    collect::{closed, world},
    heap::mutator,
    os::{dl, mem, signal},
};
use gleaner_abi::exports::errno;

unsafe extern "C" {
    fn __sigaction(signal: c_int, new: *const c_void, old: *mut c_void) -> c_int;
}

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

wrap! {
    /// POSIX: the new thread has a record before it runs its routine.
    pthread_create: c"pthread_create", gleaner_edge_pthread_create, gleaner_real_pthread_create;
    /// POSIX: takes no stop signal.
    sigwait: c"sigwait", gleaner_edge_sigwait, gleaner_real_sigwait;
    /// POSIX: takes no stop signal.
    sigwaitinfo: c"sigwaitinfo", gleaner_edge_sigwaitinfo, gleaner_real_sigwaitinfo;
    /// POSIX: takes no stop signal.
    sigtimedwait: c"sigtimedwait", gleaner_edge_sigtimedwait, gleaner_real_sigtimedwait;
    /// Linux: takes no stop signal.
    signalfd: c"signalfd", gleaner_edge_signalfd, gleaner_real_signalfd;
    /// Is not cut short by a collection.
    nanosleep: c"nanosleep", gleaner_edge_nanosleep, gleaner_real_nanosleep;
    /// Is not cut short by a collection.
    clock_nanosleep: c"clock_nanosleep", gleaner_edge_clock_nanosleep, gleaner_real_clock_nanosleep;
    /// Is not cut short by a collection.
    usleep: c"usleep", gleaner_edge_usleep, gleaner_real_usleep;
    /// Is not cut short by a collection.
    sleep: c"sleep", gleaner_edge_sleep, gleaner_real_sleep;
    /// Is not cut short by a collection.
    poll: c"poll", gleaner_edge_poll, gleaner_real_poll;
    /// Is not cut short by a collection.
    ppoll: c"ppoll", gleaner_edge_ppoll, gleaner_real_ppoll;
    /// Is not cut short by a collection.
    thrd_sleep: c"thrd_sleep", gleaner_edge_thrd_sleep, gleaner_real_thrd_sleep;
    /// Is not cut short by a collection.
    __poll_chk: c"__poll_chk", gleaner_edge_poll_chk, gleaner_real_poll_chk;
    /// Is not cut short by a collection.
    __ppoll_chk: c"__ppoll_chk", gleaner_edge_ppoll_chk, gleaner_real_ppoll_chk;
    /// Is not cut short by a collection.
    select: c"select", gleaner_edge_select, gleaner_real_select;
    /// Is not cut short by a collection.
    pselect: c"pselect", gleaner_edge_pselect, gleaner_real_pselect;
    /// Is not cut short by a collection.
    epoll_wait: c"epoll_wait", gleaner_edge_epoll_wait, gleaner_real_epoll_wait;
    /// Is not cut short by a collection.
    epoll_pwait: c"epoll_pwait", gleaner_edge_epoll_pwait, gleaner_real_epoll_pwait;
    /// Is not cut short by a collection. `ENOSYS` where the C library has none.
    epoll_pwait2: c"epoll_pwait2", gleaner_edge_epoll_pwait2, gleaner_real_epoll_pwait2;
    /// Is not cut short by a collection.
    sem_timedwait: c"sem_timedwait", gleaner_edge_sem_timedwait, gleaner_real_sem_timedwait;
    /// Is not cut short by a collection.
    sem_clockwait: c"sem_clockwait", gleaner_edge_sem_clockwait, gleaner_real_sem_clockwait;
    /// Is not cut short by a collection.
    pause: c"pause", gleaner_edge_pause, gleaner_real_pause;
    /// Is not cut short by a collection.
    sigsuspend: c"sigsuspend", gleaner_edge_sigsuspend, gleaner_real_sigsuspend;
    /// Is not cut short by a collection.
    msgsnd: c"msgsnd", gleaner_edge_msgsnd, gleaner_real_msgsnd;
    /// Is not cut short by a collection.
    msgrcv: c"msgrcv", gleaner_edge_msgrcv, gleaner_real_msgrcv;
    /// Is not cut short by a collection.
    semop: c"semop", gleaner_edge_semop, gleaner_real_semop;
    /// Is not cut short by a collection.
    semtimedop: c"semtimedop", gleaner_edge_semtimedop, gleaner_real_semtimedop;
}

/// The stop signal. For the edge.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_stop_signal() -> c_int {
    world::stop_signal()
}

/// How many calls of this thread's the stop signal has cut short. For the edge.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_calls_cut_short() -> u32 {
    mutator::current().map_or(0, |mutator| mutator.calls_cut_short.load(Ordering::Relaxed))
}

/// Sets what [`gleaner_calls_cut_short`] says. For the edge.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_set_calls_cut_short(count: u32) {
    if let Some(mutator) = mutator::current() {
        mutator.calls_cut_short.store(count, Ordering::Relaxed);
    }
}

/// Signals that the C library keeps for itself: cancellation and set*id.
const INTERNAL: signal::Set = signal::set_of(32) | signal::set_of(33);

fn without_ours(set: signal::Set) -> signal::Set {
    let ours = world::stop_signal();
    set & !INTERNAL & !if ours == 0 { 0 } else { signal::set_of(ours) }
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

/// The C library's `struct sigaction` on this platform.
#[repr(C)]
#[derive(Clone, Copy)]
struct Action {
    handler: usize,
    mask: [u64; 16],
    flags: c_int,
    restorer: usize,
}

impl Action {
    const DEFAULT: Action = Action { handler: 0, mask: [0; 16], flags: 0, restorer: 0 };
}

/// `SIG_IGN`: larger values are handlers.
const IGNORED: usize = 1;

/// POSIX: a handler of the program's never blocks the stop signal, and may claim it. Until then the signal looks as if
/// nobody used it.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sigaction(number: c_int, new: *const c_void, old: *mut c_void) -> c_int {
    let new = new.cast::<Action>();
    // SAFETY: by the caller's promise.
    let has_handler = unsafe { new.as_ref() }.is_some_and(|action| action.handler > IGNORED);
    if number == world::stop_signal() && number != 0 {
        if !has_handler {
            // SAFETY: by the caller's promise `old` is null or has room for one.
            unsafe { old.cast::<Action>().as_mut() }.into_iter().for_each(|old| *old = Action::DEFAULT);
            return 0;
        }
        let world = world::hold();
        // A `vfork` child sets handlers of its own; its parent's memory and signal are to stay as they are.
        if world.is_ours() && !world::give_up_signal() {
            errno::set(errno::EINVAL);
            return -1;
        }
    }
    if new.is_null() {
        // SAFETY: by the caller's promise.
        return unsafe { __sigaction(number, new.cast(), old) };
    }
    // SAFETY: `new` is not null, so by the caller's promise an action; the copy outlives the call.
    unsafe {
        let mut action = *new;
        action.mask[0] = without_ours(action.mask[0]);
        __sigaction(number, (&raw const action).cast(), old)
    }
}
