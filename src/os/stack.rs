//! The calling thread's registers on its stack, and the ends of stacks.

use super::{control_block, filter, maps, sys, thread};
use crate::base::addr::{Addr, Range};
use core::arch::naked_asm;

/// Text of a naked function: pushes the callee-saved registers, 48 bytes.
#[macro_export]
macro_rules! push_registers {
    () => {
        concat!(
            "push rbp\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset rbp, 0\n",
            "push rbx\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset rbx, 0\n",
            "push r12\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset r12, 0\n",
            "push r13\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset r13, 0\n",
            "push r14\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset r14, 0\n",
            "push r15\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset r15, 0",
        )
    };
}

/// Text of a naked function: pops what [`push_registers`](crate::push_registers) has pushed.
#[macro_export]
macro_rules! pop_registers {
    () => {
        concat!(
            "pop r15\n.cfi_adjust_cfa_offset -8\n.cfi_restore r15\n",
            "pop r14\n.cfi_adjust_cfa_offset -8\n.cfi_restore r14\n",
            "pop r13\n.cfi_adjust_cfa_offset -8\n.cfi_restore r13\n",
            "pop r12\n.cfi_adjust_cfa_offset -8\n.cfi_restore r12\n",
            "pop rbx\n.cfi_adjust_cfa_offset -8\n.cfi_restore rbx\n",
            "pop rbp\n.cfi_adjust_cfa_offset -8\n.cfi_restore rbp",
        )
    };
}

/// Text of a naked function: has a signal's handler begin with nothing of the interrupted code in the callee-saved registers,
/// which it would leave in its own frame. The kernel puts them back when the handler returns.
#[macro_export]
macro_rules! forget_registers {
    () => {
        "xor ebx, ebx\nxor ebp, ebp\nxor r12d, r12d\nxor r13d, r13d\nxor r14d, r14d\nxor r15d, r15d"
    };
}

/// Text of a naked function: pushes the callee-saved registers, and makes `rbp` the frame that they lie in. From then on
/// the stack pointer may be anywhere.
#[macro_export]
macro_rules! push_frame {
    () => {
        concat!(
            "push rbp\n.cfi_def_cfa_offset 16\n.cfi_offset rbp, -16\n",
            "mov rbp, rsp\n.cfi_def_cfa_register rbp\n",
            "push rbx\n.cfi_offset rbx, -24\n",
            "push r12\n.cfi_offset r12, -32\n",
            "push r13\n.cfi_offset r13, -40\n",
            "push r14\n.cfi_offset r14, -48\n",
            "push r15\n.cfi_offset r15, -56",
        )
    };
}

/// Text of a naked function: takes the frame of [`push_frame`](crate::push_frame) down.
#[macro_export]
macro_rules! pop_frame {
    () => {
        concat!(
            "lea rsp, [rbp - 40]\n",
            "pop r15\npop r14\npop r13\npop r12\npop rbx\npop rbp\n",
            ".cfi_def_cfa rsp, 8",
        )
    };
}

/// What runs with the registers spilled: it gets the stack pointer below them, and `data`.
pub type Spilled = unsafe extern "C" fn(sp: Addr, data: *mut core::ffi::c_void);

/// Pushes the callee-saved registers, so that every value this thread needs later lies on its stack at or above the
/// address that `work` gets, and calls `work(sp, data)`.
///
/// The other registers hold nothing across a call: the ABI says so.
///
/// # Safety
/// `work` may be called with `data`.
#[unsafe(naked)]
pub unsafe extern "C" fn with_registers_spilled(work: Spilled, data: *mut core::ffi::c_void) {
    naked_asm!(
        ".cfi_startproc",
        crate::push_registers!(),
        // To align the stack; what lay here before would be seen as a root.
        "push 0",
        ".cfi_adjust_cfa_offset 8",
        "mov rax, rdi",
        "mov rdi, rsp",
        "call rax",
        "add rsp, 8",
        ".cfi_adjust_cfa_offset -8",
        crate::pop_registers!(),
        "ret",
        ".cfi_endproc",
    )
}

/// As [`with_registers_spilled`], but `work` runs on another stack, which ends at `end`.
///
/// # Safety
/// `work` may be called with `data`; `end` is a multiple of 16, and nobody else uses what lies below, which is enough.
#[unsafe(naked)]
pub unsafe extern "C" fn with_registers_spilled_elsewhere(work: Spilled, data: *mut core::ffi::c_void, end: Addr) {
    naked_asm!(
        ".cfi_startproc",
        crate::push_frame!(),
        "mov rax, rdi",
        "mov rdi, rsp",
        "mov rsp, rdx",
        "call rax",
        crate::pop_frame!(),
        "ret",
        ".cfi_endproc",
    )
}

/// An address in the caller's frame or a little below it.
#[inline(always)]
pub fn pointer() -> Addr {
    let sp: usize;
    // SAFETY: copies a register.
    unsafe { core::arch::asm!("mov {}, rsp", out(reg) sp, options(nomem, nostack, preserves_flags)) };
    Addr::new(sp)
}

/// Where the stack of a thread lies: all of it, from its lowest usable address to its cold end.
///
/// The cold end is inclusive of what libc keeps there: `environ` and the arguments for the main thread, the static
/// thread-local storage and the control block for all others.
pub fn of_this_thread() -> Option<Range> {
    // So for every thread that the C library has made, also for one that has forked and has its process's id now.
    if let Some(stack) = control_block::stack() {
        // A thread of a raw `clone` may have its parent's block: believe it only when we stand on it.
        return stack.contains(pointer()).then_some(stack);
    }
    if filter::is_strict() {
        return None;
    }
    if thread::id() == sys::process_id() { of_main_thread() } else { of_pthread() }
}

/// The end of `[stack]`, found from the address of something in it.
fn of_main_thread() -> Option<Range> {
    let here = pointer();
    let mut found = None;
    maps::for_each(|mapping| {
        if mapping.range.contains(here) {
            found = Some(mapping.range);
        }
    });
    let end = found?.end;
    // The kernel grows it downward as far as the limit allows.
    let bytes_max = stack_limit().unwrap_or(64 << 20);
    Some(Range::new(Addr::new(end.get().saturating_sub(bytes_max)), end))
}

fn stack_limit() -> Option<usize> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is ours to write.
    let result = unsafe { libc::getrlimit(libc::RLIMIT_STACK, &mut limit) };
    (result == 0 && limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur as usize)
}

/// Asks the C library, if it is one whose blocks are not understood. It allocates: not inside a gate.
fn of_pthread() -> Option<Range> {
    // SAFETY: an all-zero attribute object is only written to by `pthread_getattr_np`.
    let mut attributes: libc::pthread_attr_t = unsafe { core::mem::zeroed() };
    let mut low: *mut libc::c_void = core::ptr::null_mut();
    let mut bytes: libc::size_t = 0;
    // SAFETY: asks about the calling thread; the outputs are ours; the attribute object is destroyed once.
    unsafe {
        if libc::pthread_getattr_np(libc::pthread_self(), &mut attributes) != 0 {
            return None;
        }
        let result = libc::pthread_attr_getstack(&attributes, &mut low, &mut bytes);
        libc::pthread_attr_destroy(&mut attributes);
        if result != 0 {
            return None;
        }
    }
    let reported = Range::sized(Addr::of(low), bytes);
    reported.contains(pointer()).then_some(reported)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::os::tls;

    unsafe extern "C" fn remember(sp: Addr, data: *mut core::ffi::c_void) {
        // SAFETY: the test passes a `Addr` of its own.
        unsafe { *data.cast::<Addr>() = sp };
    }

    #[test]
    fn spilled_registers_lie_below_the_caller() {
        let mut sp = Addr::NULL;
        // SAFETY: `remember` takes what is passed.
        unsafe { with_registers_spilled(remember, (&raw mut sp).cast()) };
        assert!(!sp.is_null() && sp < pointer() && sp.get().is_multiple_of(16));
    }

    #[test]
    fn registers_are_spilled_here_and_the_work_is_done_elsewhere() {
        unsafe extern "C" fn remember_both(sp: Addr, data: *mut core::ffi::c_void) {
            // SAFETY: the test passes a pair of its own.
            unsafe { *data.cast::<(Addr, Addr)>() = (sp, pointer()) };
        }
        #[repr(align(16))]
        struct Aligned([u8; 64 << 10]);
        let mut elsewhere = std::boxed::Box::new(Aligned([0; 64 << 10]));
        let elsewhere = Range::sized(Addr::of(elsewhere.0.as_mut_ptr()), 64 << 10);
        let mut found = (Addr::NULL, Addr::NULL);
        // SAFETY: `remember_both` takes what is passed, and nobody else uses the box.
        unsafe { with_registers_spilled_elsewhere(remember_both, (&raw mut found).cast(), elsewhere.end) };
        assert!(found.0 < pointer() && pointer() - found.0 < 4096, "the registers");
        assert!(elsewhere.contains(found.1), "the work");
    }

    #[test]
    fn every_thread_stands_on_the_stack_it_reports_and_its_control_block_is_in_it() {
        let check = || {
            let stack = of_this_thread().expect("a stack");
            assert!(stack.contains(pointer()));
            stack
        };
        let stack = std::thread::spawn(move || (check(), tls::thread_pointer())).join().unwrap();
        assert!(stack.0.contains(stack.1));
        check();
    }

    #[test]
    fn a_thread_that_has_forked_stands_on_its_own_stack_in_the_child() {
        let fork = || {
            let stack = of_this_thread().expect("a stack");
            // SAFETY: the child makes system calls and ends.
            unsafe {
                let child = libc::fork();
                if child == 0 {
                    libc::_exit(i32::from(of_this_thread() != Some(stack)));
                }
                let mut status = -1;
                assert_eq!(libc::waitpid(child, &mut status, 0), child);
                status
            }
        };
        // Far smaller than a main thread's may grow.
        let thread = std::thread::Builder::new().stack_size(256 << 10).spawn(fork).unwrap();
        assert_eq!(thread.join().unwrap(), 0);
    }
}
