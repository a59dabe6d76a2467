//! Bare tasks: made by the kernel alone, without the C library. What such a thread or child may do, who asks for it says.

use crate::base::addr::Addr;
use core::{arch::naked_asm, ffi::c_void, ptr::null_mut};

/// Where the kernel writes the task's id, as the flags ask for.
pub struct Ids {
    /// `CLONE_PARENT_SETTID`.
    pub parent: *mut u32,
    /// `CLONE_CHILD_CLEARTID`.
    pub child: *mut u32,
}

impl Ids {
    /// Nowhere: the flags ask for none.
    pub const NONE: Ids = Ids { parent: null_mut(), child: null_mut() };
}

/// `clone(2)`: a task that calls `run` with `data` on the stack that ends at `stack_end`, and ends. Its id, or less than zero
/// when the system refuses. `tp` is its thread pointer, with `CLONE_SETTLS`.
///
/// # Safety
/// Nobody else uses the stack while the task lives, and `run` keeps to what a task made with these flags may do.
pub unsafe fn start(
    flags: i32,
    stack_end: Addr,
    ids: &Ids,
    tp: Addr,
    run: extern "C" fn(*mut c_void),
    data: *mut c_void,
) -> isize {
    const ALIGN: usize = 16;
    debug_assert_eq!(stack_end, stack_end.align_down(ALIGN));
    let top = Addr::new(stack_end.get() - 2 * size_of::<usize>());
    // SAFETY: by the caller's promise. `clone` finds both words there.
    unsafe {
        top.as_ptr::<usize>().write(data as usize);
        (top + size_of::<usize>()).as_ptr::<usize>().write(run as usize);
        clone(flags as usize, top, ids.parent, ids.child, tp)
    }
}

/// In the new task pops an argument and a function off `stack`, calls it, and ends the task.
///
/// # Safety
/// As [`start`].
#[unsafe(naked)]
unsafe extern "C" fn clone(flags: usize, stack: Addr, parent_tid: *mut u32, child_tid: *mut u32, tp: Addr) -> isize {
    naked_asm!(
        "mov r10, rcx",
        "mov eax, {clone}",
        "syscall",
        "test rax, rax",
        "jz 2f",
        "ret",
        "2:",
        "xor ebp, ebp",
        "pop rdi",
        "pop rax",
        "call rax",
        "xor edi, edi",
        "mov eax, {exit}",
        "syscall",
        "ud2",
        clone = const libc::SYS_clone,
        exit = const libc::SYS_exit,
    );
}
