//! The stop signal, and where the context of a stopped thread says that it stood. Its registers: [`registers`](super::registers).
//!
//! Signals are set up by raw system calls: the C library's `sigaction` may be the very function that a door wraps.

use super::sys;
use crate::base::{
    addr::{Addr, Range},
    sync::{AtomicI32, AtomicUsize, Ordering},
};
use core::arch::naked_asm;

/// A set of signals: signal `n` is bit `n - 1`.
pub type Set = u64;

/// Every signal.
pub const ALL: Set = Set::MAX;

/// The set of one signal.
pub const fn set_of(signal: i32) -> Set {
    1 << (signal - 1)
}

/// The handler's arguments are the signal, its information, and the `ucontext` of what it interrupted.
pub type Handler = extern "C" fn(i32, *mut libc::c_void, *mut libc::c_void);

#[repr(C)]
#[derive(Clone, Copy)]
struct KernelAction {
    handler: usize,
    flags: u64,
    restorer: usize,
    mask: Set,
}

/// The bytes below the stack pointer that a leaf function may use (System V ABI).
pub const RED_ZONE_BYTES: usize = 128;

const SA_RESTORER: u64 = 0x0400_0000;

/// Ends a handler: the kernel restores what it interrupted.
#[unsafe(naked)]
unsafe extern "C" fn restore() {
    naked_asm!("mov rax, 15", "syscall")
}

fn action(signal: i32, new: Option<&KernelAction>, old: Option<&mut KernelAction>) -> Result<usize, i32> {
    let new = new.map_or(0, |new| new as *const KernelAction as usize);
    let old = old.map_or(0, |old| old as *mut KernelAction as usize);
    // SAFETY: both structures have the kernel's layout and outlive the call.
    sys::checked(unsafe { sys::call(libc::SYS_rt_sigaction, [signal as usize, new, old, size_of::<Set>(), 0, 0]) })
}

/// Where handlers run: on the thread's alternate stack, if it has one, or on the stack that is interrupted. Relaxed: set
/// before there is a handler.
static STACK: AtomicI32 = AtomicI32::new(libc::SA_ONSTACK);

/// From now on handlers are installed to run on the stack that they interrupt.
///
/// Rust's standard library unmaps the main thread's alternate stack when any thread calls `std::process::exit`. A signal that
/// is to be delivered there afterwards ends the process.
pub fn stay_on_interrupted_stacks() {
    STACK.store(0, Ordering::Relaxed);
}

/// Installs `handler` for `signal`: on the alternate stack if there is one, unless handlers [stay on interrupted
/// stacks](stay_on_interrupted_stacks); system calls restarted, all signals blocked while it runs.
pub fn install(signal: i32, handler: Handler) -> Result<(), i32> {
    let new = KernelAction {
        handler: handler as usize,
        flags: (libc::SA_SIGINFO | libc::SA_RESTART | STACK.load(Ordering::Relaxed)) as u64 | SA_RESTORER,
        restorer: restore as *const () as usize,
        mask: ALL,
    };
    action(signal, Some(&new), None).map(|_| ())
}

/// The address of the handler of `signal`: `SIG_DFL` or `SIG_IGN` when there is none. `None`: there is no such signal.
fn handler_of(signal: i32) -> Option<usize> {
    let mut old = KernelAction { handler: 0, flags: 0, restorer: 0, mask: 0 };
    action(signal, None, Some(&mut old)).ok().map(|_| old.handler)
}

/// Whether nobody has a handler for `signal`, nor ignores it.
pub fn is_unclaimed(signal: i32) -> bool {
    handler_of(signal) == Some(libc::SIG_DFL)
}

/// Whether `handler` is what `signal` is delivered to.
pub fn is_installed(signal: i32, handler: Handler) -> bool {
    handler_of(signal) == Some(handler as usize)
}

/// The function that stands before the program's handlers: it ends the safe region that the signal interrupted. Zero where
/// no door has one. Relaxed: set before there are threads that wait in regions.
static GATEWAY: AtomicUsize = AtomicUsize::new(0);

/// Says which function stands before the program's handlers.
pub fn set_gateway(gateway: usize) {
    GATEWAY.store(gateway, Ordering::Relaxed);
}

/// glibc's signals for cancellation and for changing the user of all threads; their handlers use no object of the heap.
const INTERNAL: [i32; 2] = [32, 33];

/// Whether some signal has a handler that is neither `ours`, nor glibc's own, nor the gateway.
pub fn is_handled_beside(ours: Handler) -> bool {
    let known = [libc::SIG_DFL, libc::SIG_IGN, GATEWAY.load(Ordering::Relaxed), ours as usize];
    let mut others = (1..=64).filter(|signal| !INTERNAL.contains(signal));
    others.any(|signal| handler_of(signal).is_some_and(|handler| !known.contains(&handler)))
}

/// Gives `signal` its default action back. Those on their way are dropped, as ignoring a signal drops them: the default
/// action may be to end the process.
pub fn uninstall(signal: i32) {
    for handler in [libc::SIG_IGN, libc::SIG_DFL] {
        let new = KernelAction { handler, flags: SA_RESTORER, restorer: restore as *const () as usize, mask: 0 };
        // Either is possible for each signal that we install.
        let _ = action(signal, Some(&new), None);
    }
}

/// A signal whose default action is to do nothing: one that is on its way while its thread calls `execve` is dropped by
/// the new program, where a real-time signal would end it.
pub const HARMLESS: i32 = libc::SIGURG;

/// The reserve signal: the one by which glibc changes the user of all threads. It blocks it nowhere for long, and leaves it
/// out of the sets that a program fills; so it reaches a thread that has blocked all signals, as those do that glibc makes
/// for itself.
const RESERVE: i32 = 33;

/// What [`send_reserve`] sends along, so that its signals are told from glibc's.
const RESERVE_MARK: usize = 0x676c_6561_6e65_7221;

static RESERVE_HANDLER: AtomicUsize = AtomicUsize::new(0);
static FORMER_HANDLER: AtomicUsize = AtomicUsize::new(0);

/// What the kernel tells of a queued signal, as far as it concerns us.
#[repr(C)]
struct Information {
    signal: i32,
    errno: i32,
    code: i32,
    process: i32,
    user: u32,
    value: usize,
    rest: [u64; 12],
}

const QUEUED: i32 = -1;

/// Calls our handler for a signal of ours, and glibc's for one of its own.
extern "C" fn on_reserve(signal: i32, information: *mut libc::c_void, context: *mut libc::c_void) {
    // SAFETY: the kernel passes its record.
    let is_ours = unsafe {
        let information = &*information.cast::<Information>();
        information.code == QUEUED && information.value == RESERVE_MARK
    };
    // Acquire: pairs with the Release of `send_reserve`, which stores both before the signal can come.
    let handler = if is_ours { &RESERVE_HANDLER } else { &FORMER_HANDLER }.load(Ordering::Acquire);
    if handler > libc::SIG_IGN {
        // SAFETY: ours, or what was installed before us with the same arguments.
        unsafe { core::mem::transmute::<usize, Handler>(handler)(signal, information, context) };
    }
}

/// Sends thread `tid` of this process the reserve signal, which it cannot have blocked by libc's functions; `handler` is
/// called for it.
/// `false`: the system does not allow it.
pub fn send_reserve(tid: u32, handler: Handler) -> bool {
    if !is_installed(RESERVE, on_reserve) {
        // Release: see `on_reserve`.
        RESERVE_HANDLER.store(handler as usize, Ordering::Release);
        FORMER_HANDLER.store(handler_of(RESERVE).unwrap_or(0), Ordering::Release);
        if install(RESERVE, on_reserve).is_err() {
            return false;
        }
    }
    let process = sys::process_id();
    let information = Information {
        signal: RESERVE,
        errno: 0,
        code: QUEUED,
        process: process as i32,
        user: 0,
        value: RESERVE_MARK,
        rest: [0; 12],
    };
    let args = [process as usize, tid as usize, RESERVE as usize, (&raw const information) as usize, 0, 0];
    // SAFETY: the kernel reads the record, and our handler is in place.
    sys::checked(unsafe { sys::call(libc::SYS_rt_tgsigqueueinfo, args) }).is_ok()
}

/// Changes the calling thread's mask as `rt_sigprocmask` does, and gives the old one.
pub fn change_mask(how: i32, set: Set) -> Set {
    let mut old: Set = 0;
    let args = [how as usize, &set as *const Set as usize, &mut old as *mut Set as usize, size_of::<Set>(), 0, 0];
    // SAFETY: both sets have the kernel's size and outlive the call.
    unsafe { sys::call(libc::SYS_rt_sigprocmask, args) };
    old
}

/// Whatever signal was sent to the calling thread before has come to it when this returns, unless it is blocked: the kernel
/// delivers at the end of a system call, while one that runs may yet begin another that the signal cuts short.
pub fn let_in() {
    change_mask(libc::SIG_BLOCK, 0);
}

/// Blocks every signal for the calling thread, and gives the mask to put back by [`set_mask`].
pub fn block_all() -> Set {
    change_mask(libc::SIG_BLOCK, ALL)
}

/// Sets the calling thread's mask.
pub fn set_mask(mask: Set) {
    change_mask(libc::SIG_SETMASK, mask);
}

/// The stack pointer of the interrupted code.
///
/// # Safety
/// `context` is the third argument of a handler that has not returned.
pub unsafe fn stack_pointer(context: *const libc::c_void) -> Addr {
    // SAFETY: by the caller's promise it is a `ucontext_t`.
    Addr::new(unsafe { (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs[libc::REG_RSP as usize] } as usize)
}

/// The signal of an access that the processor has refused.
pub const FAULT: i32 = libc::SIGSEGV;
/// A flag of a handler: it runs on the alternate stack, if there is one.
pub const ON_ALTERNATE_STACK: i32 = libc::SA_ONSTACK;
/// A flag of a handler: it is told what has happened.
pub const INFORMATION: i32 = libc::SA_SIGINFO;
/// A flag of a handler: it is called once.
pub const ONCE: i32 = libc::SA_RESETHAND;

/// Sends the calling thread a signal, which may wait until it is not blocked.
pub fn send_to_myself(number: i32) {
    // SAFETY: asks for the thread's id; whoever calls answers for what the signal does.
    unsafe {
        let thread = sys::call(libc::SYS_gettid, [0; 6]) as usize;
        sys::call(libc::SYS_tgkill, [sys::process_id() as usize, thread, number as usize, 0, 0, 0]);
    }
}

/// An access that the processor has refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PageFault {
    /// What was accessed.
    pub address: Addr,
    /// The instruction that did it.
    pub instruction: Addr,
    /// Whether it would have written.
    pub is_write: bool,
    /// Whether the address was to be executed.
    pub is_jump: bool,
}

/// Whether somebody has sent the signal for which a handler is called.
///
/// # Safety
/// The second argument of a handler with [`INFORMATION`] that has not returned.
pub unsafe fn was_sent(information: *const libc::c_void) -> bool {
    // SAFETY: by the caller's promise it is what the kernel passes.
    unsafe { (*information.cast::<Information>()).code <= 0 }
}

/// The access for which a handler of `SIGSEGV` is called. `None`: it is called for something else.
///
/// # Safety
/// The second and the third argument of a handler with [`INFORMATION`] that has not returned.
pub unsafe fn page_fault(information: *const libc::c_void, context: *const libc::c_void) -> Option<PageFault> {
    const PAGE_FAULT: i64 = 14;
    const WRITE: i64 = 1 << 1;
    const FETCH: i64 = 1 << 4;
    // SAFETY: by the caller's promise they are what the kernel passes.
    let (registers, was_sent) =
        unsafe { (&(*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs, was_sent(information)) };
    let get = |register: i32| registers[register as usize];
    // Where somebody has sent the signal the registers tell of the thread's last fault before.
    (!was_sent && get(libc::REG_TRAPNO) == PAGE_FAULT).then(|| PageFault {
        address: Addr::new(get(libc::REG_CR2) as usize),
        instruction: Addr::new(get(libc::REG_RIP) as usize),
        is_write: get(libc::REG_ERR) & WRITE != 0,
        is_jump: get(libc::REG_ERR) & FETCH != 0,
    })
}

/// Where the alternate stack of the interrupted thread begins; zero for none.
///
/// # Safety
/// `context` is the third argument of a handler that has not returned.
pub unsafe fn alternate_stack(context: *const libc::c_void) -> usize {
    // SAFETY: by the caller's promise it is a `ucontext_t`.
    unsafe { (*context.cast::<libc::ucontext_t>()).uc_stack.ss_sp as usize }
}

/// `sigaltstack`: sets the calling thread's alternate stack, unless `new` is null, and gives the one from before, unless `old` is.
///
/// # Safety
/// `new` is null or a description of memory that handlers may use, `old` null or room for one.
pub unsafe fn change_alternate_stack(new: *const libc::stack_t, old: *mut libc::stack_t) -> Result<(), i32> {
    // SAFETY: by the caller's promise.
    sys::checked(unsafe { sys::call(libc::SYS_sigaltstack, [new as usize, old as usize, 0, 0, 0, 0]) }).map(|_| ())
}

/// The memory of the calling thread's alternate stack; empty for none.
pub fn own_alternate_range() -> Range {
    let stack = own_alternate_stack();
    if stack.ss_flags & libc::SS_DISABLE != 0 {
        Range::default()
    } else {
        Range::sized(Addr::of(stack.ss_sp), stack.ss_size)
    }
}

/// The calling thread's alternate stack, as the kernel has it.
pub fn own_alternate_stack() -> libc::stack_t {
    // SAFETY: an all-zero value is valid, and the kernel fills it; only asks.
    unsafe {
        let mut now: libc::stack_t = core::mem::zeroed();
        let _ = change_alternate_stack(core::ptr::null(), &raw mut now);
        now
    }
}

/// Whether the interrupted code was in a system call that will now report `EINTR`, and for `handler`'s signal alone: no
/// other handler waits to be run.
///
/// # Safety
/// `context` is the third argument of a handler that has not returned, and that runs with all signals blocked.
pub unsafe fn has_cut_call_short(context: *const libc::c_void, handler: Handler) -> bool {
    const SYSCALL: u16 = 0x050f;
    const INTERRUPTED: i64 = -(libc::EINTR as i64);
    // SAFETY: by the caller's promise it is a `ucontext_t`; the code before the next instruction is in the same page.
    unsafe {
        let context = &*context.cast::<libc::ucontext_t>();
        let registers = &context.uc_mcontext.gregs;
        let next = registers[libc::REG_RIP as usize] as usize;
        registers[libc::REG_RAX as usize] == INTERRUPTED
            && next % super::mem::PAGE >= size_of::<u16>()
            && ((next - size_of::<u16>()) as *const u16).read_unaligned() == SYSCALL
            && !is_other_handler_due(*(&raw const context.uc_sigmask).cast::<Set>(), handler)
    }
}

/// Whether a handler but `handler` will run as soon as the mask is `mask`.
fn is_other_handler_due(mask: Set, handler: Handler) -> bool {
    let mut pending: Set = 0;
    // SAFETY: the set has the kernel's size and outlives the call.
    unsafe { sys::call(libc::SYS_rt_sigpending, [&raw mut pending as usize, size_of::<Set>(), 0, 0, 0, 0]) };
    let is_due = |number: i32| {
        let mut action_of = KernelAction { handler: 0, flags: 0, restorer: 0, mask: 0 };
        let is_handled = action(number, None, Some(&mut action_of)).is_ok() && action_of.handler > libc::SIG_IGN;
        is_handled && action_of.handler != handler as usize
    };
    (1..=64).any(|number| pending & !mask & set_of(number) != 0 && is_due(number))
}

/// The lowest and highest real-time signals an application may use, as the C library reports them.
pub fn real_time_range() -> (i32, i32) {
    (libc::SIGRTMIN(), libc::SIGRTMAX())
}
