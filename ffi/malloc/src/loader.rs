//! `dlopen` without `RTLD_DEEPBIND`.
//!
//! The flag lets a library find its own dependencies' symbols before ours, `malloc` of the C library among them. What it
//! allocates there and the program frees is foreign and forwarded, but what the program allocates and the library frees
//! would reach the C library, which aborts. So the flag is taken out, as every preloaded allocator needs.
//!
//! The C library looks at its return address to know who asks: the search path, the scope and the namespace depend on
//! it. So the original is reached by a jump.

use core::ffi::{c_char, c_int, c_void};
use gleaner::{
    base::sync::{AtomicBool, AtomicI32, AtomicPtr, Ordering},
    collect::{
        reports::{self, Reason},
        settings,
    },
    os::dl,
};

/// `RTLD_DEEPBIND` of the C library.
const DEEPBIND: c_int = 8;

/// Relaxed throughout: the address of code, the same whoever finds it.
static DLOPEN: AtomicPtr<c_void> = AtomicPtr::new(core::ptr::null_mut());

/// The flags that `dlopen` lets pass: all, until [`forbid_deep_binding`]. Relaxed: set while one thread runs.
static KEPT: AtomicI32 = AtomicI32::new(-1);

/// From now on libraries are opened without the flag, or, by an option, nothing is reclaimed once one was opened with it.
pub fn forbid_deep_binding() {
    if settings::deep_binding() {
        IS_NOTED.store(true, Ordering::Relaxed);
    } else {
        KEPT.store(!DEEPBIND, Ordering::Relaxed);
    }
}

/// Whether the flag is let pass and taken note of. Relaxed: as above.
static IS_NOTED: AtomicBool = AtomicBool::new(false);

extern "C" fn note_flag() {
    if IS_NOTED.load(Ordering::Relaxed) {
        reports::stop_reclaiming(Reason::DeepBinding);
    }
}

/// Looks the C library's `dlopen` up.
pub extern "C" fn find_original() -> *mut c_void {
    let original = dl::next(c"dlopen");
    if original.is_null() {
        gleaner::fatal!("dlopen: the C library has none; link the program with -ldl");
    }
    DLOPEN.store(original, Ordering::Relaxed);
    original
}

/// POSIX: loads a library, which binds to the program's `malloc` as every other.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub unsafe extern "C" fn dlopen(path: *const c_char, flags: c_int) -> *mut c_void {
    core::arch::naked_asm!(
        "and esi, dword ptr [rip + {kept}]",
        "test esi, {deepbind}",
        "jnz 3f",
        "4:",
        "mov rax, qword ptr [rip + {original}]",
        "test rax, rax",
        "jz 2f",
        "jmp rax",
        "3:",
        "push rdi",
        "push rsi",
        "sub rsp, 8",
        "call {note_flag}",
        "add rsp, 8",
        "pop rsi",
        "pop rdi",
        "jmp 4b",
        "2:",
        "push rdi",
        "push rsi",
        "sub rsp, 8",
        "call {find}",
        "add rsp, 8",
        "pop rsi",
        "pop rdi",
        "jmp rax",
        kept = sym KEPT,
        deepbind = const DEEPBIND,
        note_flag = sym note_flag,
        original = sym DLOPEN,
        find = sym find_original,
    )
}
