//! The program's signal handlers: each is called through a gateway, which ends the safe region that the signal has
//! interrupted.
//!
//! A thread that waits in a call is left alone by a stop, as if it stood still. A handler that runs there would change
//! roots and objects beside the collector. So it does not run before the region has ended, and waits for that while the
//! world is stopped. The kernel knows the gateway; who is behind it stands in a table, and is what `sigaction` reports.
//!
//! A handler that is set past these functions is no danger either: see `collect::world`. Nothing stands before any that is
//! set later: who set that one may have found the gateway in its place, and call it as the handler of before.
//!
//! The stop signal is taken out of what handlers block. A program that claims it for itself gets it, and the engine moves
//! to another.
//!
//! Holds: whenever the kernel has the gateway for a signal, the table has the handler; it is written first.
//! Threads: any. Two that set a handler of one signal at once get either, as they would anyway.

use crate::{faults, masks::without_ours, regions::Original, signals};
use core::{
    arch::naked_asm,
    ffi::{c_int, c_void},
};
use gleaner::{
    base::sync::{AtomicBool, AtomicI32, AtomicUsize, Ordering},
    collect::world,
    heap::{mutator, region},
    os::signal,
};
use gleaner_abi::exports::errno;

/// The C library's, under its first name.
static SIGACTION: Original = Original::new(c"__sigaction");

/// The C library's `sigaction`.
///
/// # Safety
/// As that.
unsafe fn original_sigaction(number: c_int, new: *const c_void, old: *mut c_void) -> c_int {
    type Sigaction = unsafe extern "C" fn(c_int, *const c_void, *mut c_void) -> c_int;
    // SAFETY: the C library's function has this type; the rest by the caller's promise.
    unsafe { core::mem::transmute::<*mut c_void, Sigaction>(SIGACTION.find())(number, new, old) }
}

const SIGNALS: usize = 64;

/// The handlers by the numbers of their signals.
static HANDLERS: [AtomicUsize; SIGNALS + 1] = [const { AtomicUsize::new(0) }; SIGNALS + 1];
/// Whether the engine is here, so that there are regions to end. Relaxed: set while one thread runs.
static IS_OPEN: AtomicBool = AtomicBool::new(false);

/// Opens the gateway: handlers that are set from now on are called through it.
pub fn open_gateway() {
    signal::set_gateway(gateway as *const () as usize);
    IS_OPEN.store(true, Ordering::Relaxed);
    SIGNAL.find();
    SYSV_SIGNAL.find();
    SIGSET.find();
    SIGINTERRUPT.find();
    SIGACTION.find();
}

/// What the kernel calls: it ends the region and jumps to the handler, which finds all as the kernel left it.
#[unsafe(naked)]
unsafe extern "C" fn gateway() {
    naked_asm!(
        ".cfi_startproc",
        "push rdi",
        ".cfi_adjust_cfa_offset 8",
        "push rsi",
        ".cfi_adjust_cfa_offset 8",
        "push rdx",
        ".cfi_adjust_cfa_offset 8",
        "call {enter}",
        "pop rdx",
        ".cfi_adjust_cfa_offset -8",
        "pop rsi",
        ".cfi_adjust_cfa_offset -8",
        "pop rdi",
        ".cfi_adjust_cfa_offset -8",
        "jmp rax",
        ".cfi_endproc",
        enter = sym enter,
    )
}

/// # Safety
/// The kernel has passed `information` and `context` to the gateway.
unsafe extern "C" fn enter(number: c_int, information: *const c_void, context: *const c_void) -> usize {
    region::leave();
    if let Some(mutator) = mutator::current_or_hidden() {
        // Relaxed: only this thread uses it.
        mutator.handlers_run.store(mutator.handlers_run.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }
    // SAFETY: by the caller's promise.
    unsafe { signals::note_delivered(number, information) };
    if faults::are_looked_at(number) {
        // SAFETY: as above.
        return unsafe { handler_of_fault(number, information, context) };
    }
    // Acquire: pairs with the Release of `stand_before`.
    HANDLERS[number as usize].load(Ordering::Acquire)
}

/// What to call for a fault: nothing if it is ours; else the program's handler, which may be there for one time only.
///
/// # Safety
/// As for [`faults::handle`].
unsafe fn handler_of_fault(number: c_int, information: *const c_void, context: *const c_void) -> usize {
    extern "C" fn nothing() {}
    let nothing = nothing as *const () as usize;
    // SAFETY: by the caller's promise.
    if unsafe { faults::handle(information, context) } {
        return nothing;
    }
    // Acquire: as in `enter`.
    let handler = HANDLERS[number as usize].load(Ordering::Acquire);
    if FAULT_FLAGS.load(Ordering::Relaxed) & signal::ONCE != 0 {
        HANDLERS[number as usize].store(0, Ordering::Release);
    }
    if is_handler(handler) {
        return handler;
    }
    // SAFETY: by the caller's promise.
    if handler == IGNORED && unsafe { signal::was_sent(information) } {
        return nothing;
    }
    // There is none: the instruction is made again, or the signal sent, with nobody in between.
    // SAFETY: the default action needs no memory; the signal waits until this handler is left.
    unsafe {
        let default = Action::DEFAULT;
        original_sigaction(number, (&raw const default).cast(), core::ptr::null_mut());
        signal::send_to_myself(number);
    }
    nothing
}

/// The flags that the program has set for its handler of faults. Relaxed: they go with the handler.
static FAULT_FLAGS: AtomicI32 = AtomicI32::new(0);

/// Flags for the gateway in place of a handler with `flags`: told what has happened, and not taken away by the first fault.
fn flags_before_faults(flags: c_int) -> c_int {
    FAULT_FLAGS.store(flags, Ordering::Relaxed);
    (flags | signal::INFORMATION) & !signal::ONCE
}

/// The C library has set the gateway before a handler of faults, with flags of its own choice.
fn note_fault_handler(number: c_int) {
    let mut now = Action::DEFAULT;
    // SAFETY: asks, and sets the same with other flags; both actions are ours.
    unsafe {
        if faults::are_looked_at(number) && original_sigaction(number, core::ptr::null(), (&raw mut now).cast()) == 0 {
            now.flags = flags_before_faults(now.flags);
            original_sigaction(number, (&raw const now).cast(), core::ptr::null_mut());
        }
    }
}

/// Sets the gateway before faults, where no handler is. `false`: the system does not let it.
pub fn stand_before_faults() -> bool {
    let number = signal::FAULT;
    let mut now = Action::DEFAULT;
    // SAFETY: only asks; `now` is ours.
    if unsafe { original_sigaction(number, core::ptr::null(), (&raw mut now).cast()) } != 0 {
        return false;
    }
    let gateway = gateway as *const () as usize;
    if now.handler != gateway {
        HANDLERS[number as usize].store(now.handler, Ordering::Release);
    }
    let flags = flags_before_faults(now.flags) | signal::ON_ALTERNATE_STACK;
    let action = Action { handler: gateway, flags, ..now };
    // SAFETY: the gateway calls the handler from before; the action outlives the call.
    unsafe { original_sigaction(number, (&raw const action).cast(), core::ptr::null_mut()) == 0 }
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

/// `SIG_IGN`: larger values are handlers, but for `SIG_ERR`.
const IGNORED: usize = 1;

/// `SA_SIGINFO`.
const INFORMED: c_int = 4;

fn is_handler(handler: usize) -> bool {
    handler > IGNORED && handler != usize::MAX
}

/// What to tell the kernel in place of a handler: the gateway, which calls it. In a `vfork` child the handler itself: the
/// table is its parent's. The same where no call is a region any more.
fn stand_before(number: c_int, handler: usize) -> usize {
    let gateway = gateway as *const () as usize;
    let has_gateway = IS_OPEN.load(Ordering::Relaxed) && (1..=SIGNALS as c_int).contains(&number);
    if faults::are_looked_at(number) && handler != gateway && world::is_own_process() {
        HANDLERS[number as usize].store(handler, Ordering::Release);
        return gateway;
    }
    if !has_gateway || !is_handler(handler) || handler == gateway || !world::is_own_process() {
        return handler;
    }
    let mut now = Action::DEFAULT;
    // SAFETY: only asks; `now` is ours.
    if unsafe { original_sigaction(number, core::ptr::null(), (&raw mut now).cast()) } == 0 {
        note_replaced(now.handler);
    }
    // Relaxed: it matters to this thread only if this thread has set it above.
    if world::IS_GATEWAY_PASSED.load(Ordering::Relaxed) {
        return handler;
    }
    // Release: pairs with the Acquire of `enter`, which is called once the kernel knows the gateway.
    HANDLERS[number as usize].store(handler, Ordering::Release);
    gateway
}

/// The handler that stands behind what the kernel has: `known` is the one from before it was asked.
fn behind(handler: usize, known: usize) -> usize {
    if handler == gateway as *const () as usize { known } else { handler }
}

fn known_handler(number: c_int) -> usize {
    // Relaxed: a value from before the call that follows.
    HANDLERS.get(number as usize).map_or(0, |handler| handler.load(Ordering::Relaxed))
}

/// `handler` is not the kernel's any more, and may still run: one that did not come by the gateway has to be remembered.
fn note_replaced(handler: usize) {
    if is_handler(handler) && handler != gateway as *const () as usize && world::is_own_process() {
        world::note_gateway_passed();
    }
}

/// The kernel has refused what [`stand_before`] prepared.
fn take_back(number: c_int, known: usize) {
    if let Some(handler) = HANDLERS.get(number as usize) {
        handler.store(known, Ordering::Release);
    }
}

/// Moves the engine to another signal when the program claims the stop signal. `false`: there is none.
fn give_up(number: c_int) -> bool {
    if number != world::stop_signal() || number == 0 {
        return true;
    }
    let world = world::hold();
    // A `vfork` child sets handlers of its own; its parent's memory and signal are to stay as they are.
    !world.is_ours() || world::give_up_signal(signal::set_of(number))
}

/// Whether a program gives the stop signal its default action or ignores it: it stays ours, and looks as if nobody used it.
fn is_left_to_us(number: c_int, handler: usize) -> bool {
    number == world::stop_signal() && number != 0 && handler <= IGNORED
}

/// POSIX: a handler of the program's never blocks the stop signal, and may claim it. Until then the signal looks as if
/// nobody used it.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sigaction(number: c_int, new: *const c_void, old: *mut c_void) -> c_int {
    let new = new.cast::<Action>();
    // SAFETY: by the caller's promise.
    let has_handler = unsafe { new.as_ref() }.is_some_and(|action| is_handler(action.handler));
    if number == world::stop_signal() && number != 0 && !has_handler {
        // SAFETY: by the caller's promise `old` is null or has room for one.
        unsafe { old.cast::<Action>().as_mut() }.into_iter().for_each(|old| *old = Action::DEFAULT);
        return 0;
    }
    if has_handler && !give_up(number) {
        errno::set(errno::EINVAL);
        return -1;
    }
    let known = known_handler(number);
    let known_flags = FAULT_FLAGS.load(Ordering::Relaxed);
    let mut former = Action::DEFAULT;
    // SAFETY: `new` is null or by the caller's promise an action; the copies outlive the call.
    let result = unsafe {
        let action = new.as_ref().map(|&action| {
            let mut mask = action.mask;
            mask[0] = without_ours(mask[0]);
            let is_looked_at = faults::are_looked_at(number);
            let flags = if is_looked_at { flags_before_faults(action.flags) } else { action.flags };
            Action { handler: stand_before(number, action.handler), mask, flags, ..action }
        });
        let action = action.as_ref().map_or(core::ptr::null(), |action| core::ptr::from_ref(action).cast());
        original_sigaction(number, action, (&raw mut former).cast())
    };
    if result != 0 {
        if has_handler {
            take_back(number, known);
        }
        return result;
    }
    // SAFETY: by the caller's promise.
    if let Some(new) = unsafe { new.as_ref() } {
        note_replaced(former.handler);
        signals::note_handler(number, new.flags & INFORMED != 0);
    }
    // SAFETY: by the caller's promise `old` is null or has room for one.
    if let Some(old) = unsafe { old.cast::<Action>().as_mut() } {
        let flags = if faults::are_looked_at(number) { known_flags } else { former.flags };
        *old = Action { handler: behind(former.handler, known), flags, ..former };
    }
    0
}

/// As [`sigaction`], by the C library's first name for it.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __sigaction(number: c_int, new: *const c_void, old: *mut c_void) -> c_int {
    // SAFETY: by the caller's promise.
    unsafe { sigaction(number, new, old) }
}

static SIGNAL: Original = Original::new(c"signal");
static SYSV_SIGNAL: Original = Original::new(c"__sysv_signal");

/// `signal`, by one of the C library's, which differ in their flags.
///
/// # Safety
/// As the C library's.
unsafe fn signal_by(original: &Original, number: c_int, handler: usize) -> usize {
    const ERROR: usize = usize::MAX;
    if is_left_to_us(number, handler) {
        return Action::DEFAULT.handler;
    }
    if is_handler(handler) && !give_up(number) {
        errno::set(errno::EINVAL);
        return ERROR;
    }
    let known = known_handler(number);
    // SAFETY: the C library's function of that type.
    let set: extern "C" fn(c_int, usize) -> usize = unsafe { core::mem::transmute(original.find()) };
    let old = set(number, stand_before(number, handler));
    note_fault_handler(number);
    if old == ERROR && is_handler(handler) {
        take_back(number, known);
    } else if old != ERROR {
        signals::note_handler(number, false);
    }
    note_replaced(old);
    behind(old, known)
}

macro_rules! signals {
    ($($(#[$doc:meta])* $name:ident by $original:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// As the C library's.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(number: c_int, handler: usize) -> usize {
            // SAFETY: by the caller's promise.
            unsafe { signal_by(&$original, number, handler) }
        }
    )*};
}

signals! {
    /// C: as [`sigaction`], with flags as BSD has them.
    signal by SIGNAL;
    /// BSD: the same.
    bsd_signal by SIGNAL;
    /// 4.2BSD: the same.
    ssignal by SIGNAL;
    /// What a program calls `signal` that asks for System V's flags.
    __sysv_signal by SYSV_SIGNAL;
    /// The same by its own name.
    sysv_signal by SYSV_SIGNAL;
}

static SIGSET: Original = Original::new(c"sigset");

/// System V: sets a handler and lets the signal in, or keeps it out. Both claim the stop signal.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sigset(number: c_int, handler: usize) -> usize {
    /// What stands for a signal that is kept out, in place of a handler.
    const HOLD: usize = 2;
    if is_left_to_us(number, handler) {
        return Action::DEFAULT.handler;
    }
    if is_handler(handler) && !give_up(number) {
        errno::set(errno::EINVAL);
        return usize::MAX;
    }
    let known = known_handler(number);
    // SAFETY: the C library's function of that type.
    let set: extern "C" fn(c_int, usize) -> usize = unsafe { core::mem::transmute(SIGSET.find()) };
    let old = set(number, if handler == HOLD { HOLD } else { stand_before(number, handler) });
    note_fault_handler(number);
    if old != HOLD {
        note_replaced(old);
    }
    behind(old, known)
}

/// System V: as [`sigaction`] that ignores the signal.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sigignore(number: c_int) -> c_int {
    let action = Action { handler: IGNORED, ..Action::DEFAULT };
    // SAFETY: an action of ours.
    unsafe { sigaction(number, (&raw const action).cast(), core::ptr::null_mut()) }
}

static SIGINTERRUPT: Original = Original::new(c"siginterrupt");

/// 4.3BSD: has a signal cut calls short, or not. A program that says so of the stop signal claims it, if there is another.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn siginterrupt(number: c_int, cuts_short: c_int) -> c_int {
    if cuts_short != 0 && !give_up(number) {
        return 0;
    }
    // SAFETY: the C library's function of that type.
    let original: extern "C" fn(c_int, c_int) -> c_int = unsafe { core::mem::transmute(SIGINTERRUPT.find()) };
    original(number, cuts_short)
}
