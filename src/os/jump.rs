//! Where a `longjmp` goes, and a `longjmp` of our own for programs without shared libraries.
//!
//! The C library keeps the stack pointer of a `setjmp` as the seventh word of its `jmp_buf`, *mangled*: xored with a
//! secret of the process and rotated. Whether that is so is tried once, at the start.
//!
//! Threads: any, in signal handlers too; each function is about the calling thread.

use super::{signal, stack};
use crate::base::{
    addr::Addr,
    sync::{AtomicBool, Ordering},
};
use core::arch::{asm, naked_asm};

/// The words of a `jmp_buf` with its saved mask and room to spare: glibc's has 25.
type Buffer = [usize; 64];

const STACK_POINTER: usize = 6;

unsafe extern "C" {
    fn _setjmp(buffer: *mut Buffer) -> i32;
}

static IS_UNDERSTOOD: AtomicBool = AtomicBool::new(false);

/// Looks whether a buffer holds what we think.
pub fn note_layout() {
    let mut buffer: Buffer = [0; 64];
    // SAFETY: nobody jumps to this buffer, so the call returns once and is like any other.
    unsafe { _setjmp(&mut buffer) };
    let sp = demangle(buffer[STACK_POINTER]);
    let here = stack::pointer();
    const FRAME_BYTES_MAX: usize = 4096;
    let is_near = sp.get().abs_diff(here.get()) < FRAME_BYTES_MAX;
    // Relaxed: nothing else depends on it, and a jump that does not see it yet only counts as leaving its region.
    IS_UNDERSTOOD.store(is_near, Ordering::Relaxed);
}

const ROTATED: u32 = 17;

/// The pointer that glibc has mangled.
pub fn demangle(mangled: usize) -> Addr {
    Addr::new(mangled.rotate_right(ROTATED) ^ guard())
}

/// As glibc mangles a pointer.
#[cfg(test)]
pub fn mangle(addr: Addr) -> usize {
    (addr.get() ^ guard()).rotate_left(ROTATED)
}

fn guard() -> usize {
    let guard: usize;
    // SAFETY: the word of the control block where glibc keeps the secret; every thread has the same.
    unsafe { asm!("mov {}, qword ptr fs:[0x30]", out(reg) guard, options(nostack, preserves_flags, readonly, pure)) };
    guard
}

/// The stack pointer that a jump to `buffer` sets. `None`: it is not known.
///
/// # Safety
/// `buffer` was filled by `setjmp` or one of its kin.
pub unsafe fn target(buffer: *const usize) -> Option<Addr> {
    // SAFETY: by the caller's promise; a `jmp_buf` has more words than that. Relaxed: see `note_layout`.
    IS_UNDERSTOOD.load(Ordering::Relaxed).then(|| demangle(unsafe { *buffer.add(STACK_POINTER) }))
}

/// Jumps to `buffer`, as `siglongjmp` does: for a program whose C library has none beside ours.
///
/// # Safety
/// As `siglongjmp`.
#[unsafe(naked)]
pub unsafe extern "C" fn jump(buffer: *const usize, value: i32) -> ! {
    naked_asm!(
        "push rdi",
        "push rsi",
        "sub rsp, 8",
        "call {restore_mask}",
        "add rsp, 8",
        "pop rsi",
        "pop rdi",
        // The result of setjmp: never zero.
        "mov eax, 1",
        "test esi, esi",
        "cmovne eax, esi",
        "mov rbx, [rdi]",
        "mov r12, [rdi + 16]",
        "mov r13, [rdi + 24]",
        "mov r14, [rdi + 32]",
        "mov r15, [rdi + 40]",
        // rbp, rsp and the place to go on at are mangled: see `demangle`. A signal must find each rsp whole.
        "mov r8, [rdi + 8]",
        "mov r9, [rdi + 48]",
        "mov rdx, [rdi + 56]",
        "ror r8, 17",
        "ror r9, 17",
        "ror rdx, 17",
        "xor r8, qword ptr fs:[0x30]",
        "xor r9, qword ptr fs:[0x30]",
        "xor rdx, qword ptr fs:[0x30]",
        "mov rbp, r8",
        "mov rsp, r9",
        "jmp rdx",
        restore_mask = sym restore_mask,
    )
}

/// After the eight registers: whether a mask was saved, and the mask.
///
/// # Safety
/// As for [`jump`].
unsafe extern "C" fn restore_mask(buffer: *const usize) {
    // SAFETY: by the caller's promise `setjmp` filled the buffer, and a `jmp_buf` has these words.
    unsafe {
        if *buffer.add(8) as u32 != 0 {
            signal::set_mask(*buffer.add(9) as signal::Set);
        }
    }
}

/// Whether this thread runs a handler on its alternate signal stack.
pub fn is_on_alternate_stack() -> bool {
    signal::own_alternate_stack().ss_flags & libc::SS_ONSTACK != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_the_one_we_think() {
        note_layout();
        assert!(IS_UNDERSTOOD.load(Ordering::Relaxed));
        assert!(!is_on_alternate_stack());
    }
}
