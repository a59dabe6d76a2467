//! `setjmp` and its kin: where the frame pointer or the stack pointer lies in the heap, the buffer has it in a disguise.
//!
//! glibc mangles both before it keeps them, the other registers are kept as they are. In optimised code the frame pointer is
//! a register like any other and may be all that holds an object; the stack pointer of a coroutine is all that holds its
//! stack. So the calls come by here, a few instructions each, and note in what kind of place such a buffer is
//! ([`disguise`]): the stack is what lies up to a mebibyte above the stack pointer.
//!
//! They return twice: no frame may be between the caller and the C library's function, which finds the return address and
//! the stack pointer as the caller left them.

use crate::regions::Original;
use core::arch::naked_asm;
use gleaner::{
    collect::disguise::{self, Where},
    heap::cage,
};

static PLAIN: Original = Original::new(c"_setjmp");
static WITH_MASK: Original = Original::new(c"setjmp");
static BY_CHOICE: Original = Original::new(c"__sigsetjmp");

/// Looks all up while one thread runs.
pub fn find_originals() {
    PLAIN.find();
    WITH_MASK.find();
    BY_CHOICE.find();
}

/// C, POSIX: as the C library's.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
#[unsafe(naked)]
#[unsafe(link_section = ".text.hot")]
pub unsafe extern "C" fn _setjmp() {
    naked_asm!("lea rax, [rip + {original}]", "jmp {note}", original = sym PLAIN, note = sym note)
}

/// C, POSIX: as the C library's.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
#[unsafe(naked)]
#[unsafe(link_section = ".text.hot")]
pub unsafe extern "C" fn setjmp() {
    naked_asm!("lea rax, [rip + {original}]", "jmp {note}", original = sym WITH_MASK, note = sym note)
}

/// POSIX: what `sigsetjmp` is in glibc.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
#[unsafe(naked)]
#[unsafe(link_section = ".text.hot")]
pub unsafe extern "C" fn __sigsetjmp() {
    naked_asm!("lea rax, [rip + {original}]", "jmp {note}", original = sym BY_CHOICE, note = sym note)
}

const STACK_BYTES: usize = 1 << 20;

/// Notes where the buffer is, `rdi`, if it is to have an address of the heap, and goes on to the [`Original`] in `rax`.
///
/// # Safety
/// As the function that is called.
#[unsafe(naked)]
#[unsafe(link_section = ".text.hot")]
unsafe extern "C" fn note() {
    naked_asm!(
        ".cfi_startproc",
        "lea r8, [rip + {map}]",
        // Several spans: any address may be ours.
        "cmp dword ptr [r8 + {spans}], 1",
        "ja 3f",
        "mov rcx, qword ptr [r8 + {base}]",
        "mov rdx, rbp",
        "sub rdx, rcx",
        "cmp rdx, qword ptr [r8 + {limit}]",
        "jb 3f",
        "mov rdx, rsp",
        "sub rdx, rcx",
        "cmp rdx, qword ptr [r8 + {limit}]",
        "jb 3f",
        "2:",
        "mov r11, qword ptr [rax]",
        "test r11, r11",
        "jz 5f",
        "jmp r11",
        "3:",
        "mov edx, {object}",
        "mov r9, rdi",
        "sub r9, qword ptr [r8 + {base}]",
        "cmp r9, qword ptr [r8 + {limit}]",
        "jb 4f",
        "mov edx, {stack}",
        "mov r9, rdi",
        "sub r9, rsp",
        "cmp r9, {stack_bytes}",
        "jb 4f",
        "mov edx, {root}",
        "4:",
        "test byte ptr [rip + {mangled}], dl",
        "jnz 2b",
        "lock or byte ptr [rip + {mangled}], dl",
        "jmp 2b",
        // Before the library's constructor.
        "5:",
        "push rdi",
        ".cfi_adjust_cfa_offset 8",
        "push rsi",
        ".cfi_adjust_cfa_offset 8",
        "sub rsp, 8",
        ".cfi_adjust_cfa_offset 8",
        "mov rdi, rax",
        "call {find}",
        "mov r11, rax",
        "add rsp, 8",
        ".cfi_adjust_cfa_offset -8",
        "pop rsi",
        ".cfi_adjust_cfa_offset -8",
        "pop rdi",
        ".cfi_adjust_cfa_offset -8",
        "jmp r11",
        ".cfi_endproc",
        find = sym Original::find,
        map = sym cage::MAP,
        spans = const core::mem::offset_of!(cage::Map, spans),
        base = const core::mem::offset_of!(cage::Map, base),
        limit = const core::mem::offset_of!(cage::Map, limit),
        object = const Where::Object as u8,
        stack = const Where::Stack as u8,
        root = const Where::Root as u8,
        stack_bytes = const STACK_BYTES,
        mangled = sym disguise::MANGLED,
    )
}
