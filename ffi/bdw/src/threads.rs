//! Threads: the wrappers of the thread library, registration, stacks, blocking.
//!
//! The engine finds every thread by itself, when it uses the heap or when the kernel lists it, and every stack and all
//! thread-local storage is a root. So registering is a matter of return values. What a program says about the bottom of a
//! stack is kept, and adds nothing: a thread that stands on a stack of its own making has all of that searched, from the
//! stack pointer to the end of the mapping, and its own stack beside.

use crate::{edge, lock};
use core::ffi::{c_int, c_void};
use gleaner::{
    base::{addr::Addr, sync::Ordering},
    collect::world,
    heap::{mutator, region},
    os::{control_block, stack},
};

/// The calling thread's record is given back, for the edge.
#[unsafe(no_mangle)]
extern "C" fn gleaner_bdw_forget_thread() {
    world::unregister();
}

/// Where the calling thread's stack ends if the C library has made it, for the edge; else null.
#[unsafe(no_mangle)]
extern "C" fn gleaner_bdw_end_of_made_stack() -> *mut c_void {
    control_block::stack().map_or(core::ptr::null_mut(), |stack| stack.end.as_ptr())
}

/// Opens a safe region, for the edge: registers lie on the stack above here, what runs inside lies below `frame`. 0: the
/// thread is in one already.
#[unsafe(no_mangle)]
extern "C" fn gleaner_bdw_region_begin(frame: *const c_void) -> c_int {
    if region::is_open() {
        return 0;
    }
    let Some(mutator) = mutator::register() else { return 0 };
    region::enter(mutator, stack::pointer(), Addr::of(frame));
    1
}

/// Ends the region that the thread is in, if it is in one.
#[unsafe(no_mangle)]
extern "C" fn gleaner_bdw_region_end() {
    region::leave();
}

/// `struct region` of `edge.c`.
#[repr(C)]
struct Region {
    sp: usize,
    frame: usize,
}

/// Ends the region that the thread is in for a time. 0: it is in none.
///
/// # Safety
/// `left` can be written to.
#[unsafe(no_mangle)]
unsafe extern "C" fn gleaner_bdw_region_leave(left: *mut Region) -> c_int {
    let Some(mutator) = region::leave() else { return 0 };
    // Relaxed: only this thread writes them.
    let region =
        Region { sp: mutator.region_sp.load(Ordering::Relaxed), frame: mutator.region_frame.load(Ordering::Relaxed) };
    // SAFETY: by the caller's promise.
    unsafe { left.write(region) };
    1
}

/// Opens the region again that was left. What was on the stack then is there still.
///
/// # Safety
/// `left` is what [`gleaner_bdw_region_leave`] has written, further up.
#[unsafe(no_mangle)]
unsafe extern "C" fn gleaner_bdw_region_return(left: *const Region) {
    let Some(mutator) = mutator::register() else { return };
    // SAFETY: by the caller's promise.
    let Region { sp, frame } = unsafe { left.read() };
    region::enter(mutator, Addr::new(sp), Addr::new(frame));
}

/// Gives the calling thread a record, for the edge.
#[unsafe(no_mangle)]
extern "C" fn gleaner_bdw_thread_started() {
    // Without memory for a record the thread is found by the kernel's list.
    let _ = world::register();
}

/// `IS_UNKNOWN` of `suspend.c` and what follows it there.
#[repr(C)]
enum Known {
    No,
    Yes,
    Formerly,
}

/// Whether a thread of the C library's uses the heap or has been registered, or did and was: until its record is another
/// thread's. For the edge.
#[unsafe(no_mangle)]
extern "C" fn gleaner_bdw_is_thread_known(id: usize) -> Known {
    // The C library knows a thread by the address of its control block.
    let is_it = |record: &&mutator::Mutator| record.thread_pointer.load(Ordering::Relaxed) == id;
    mutator::all().filter(is_it).fold(Known::No, |known, record| match known {
        Known::Yes => known,
        _ if record.is_alive() => Known::Yes,
        _ => Known::Formerly,
    })
}

/// Whether the calling thread, which a signal has interrupted, is in no slow path, which others might wait for, and has not
/// the allocation lock; for the edge.
#[unsafe(no_mangle)]
extern "C" fn gleaner_bdw_may_stand() -> c_int {
    // Relaxed: only this thread writes it.
    let is_outside = mutator::current_or_hidden().is_none_or(|mutator| mutator.inside.load(Ordering::Relaxed) == 0);
    c_int::from(is_outside && !lock::has_lock())
}

// Nothing to prepare.
#[unsafe(no_mangle)]
extern "C" fn GC_allow_register_threads() {}

// A signal's alternate stack is found by itself.
#[unsafe(no_mangle)]
extern "C" fn GC_register_altstack(_stack: *mut c_void, _bytes: usize, _other: *mut c_void, _other_bytes: usize) {}

edge::functions! {
    fn GC_pthread_create() = gleaner_bdw_pthread_create;
    fn GC_pthread_join() = pthread_join;
    fn GC_pthread_detach() = pthread_detach;
    fn GC_pthread_exit() = pthread_exit;
    fn GC_pthread_cancel() = pthread_cancel;
    fn GC_pthread_sigmask() = gleaner_bdw_pthread_sigmask;
    fn GC_dlopen() = dlopen;
    fn GC_register_my_thread() = gleaner_bdw_register_my_thread;
    fn GC_unregister_my_thread() = gleaner_bdw_unregister_my_thread;
    fn GC_thread_is_registered() = gleaner_bdw_thread_is_registered;
    fn GC_get_stack_base() = gleaner_bdw_get_stack_base;
    fn GC_call_with_stack_base() = gleaner_bdw_call_with_stack_base;
    fn GC_get_my_stackbottom() = gleaner_bdw_get_my_stackbottom;
    fn GC_set_stackbottom() = gleaner_bdw_set_stackbottom;
    fn GC_do_blocking() = gleaner_bdw_do_blocking;
    fn GC_suspend_thread() = gleaner_bdw_suspend_thread;
    fn GC_resume_thread() = gleaner_bdw_resume_thread;
    fn GC_is_thread_suspended() = gleaner_bdw_is_thread_suspended;
    fn GC_call_with_gc_active() = gleaner_bdw_call_with_gc_active;
}
