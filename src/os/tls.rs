//! Thread-local storage of the initial-exec model.
//!
//! A `thread_local!` of a shared library is a call of `__tls_get_addr`, which may itself call `malloc`. These three words
//! lie at a fixed distance from the thread pointer instead: reading one is two instructions, and cannot fail. They
//! start as zero in every thread. glibc keeps a few hundred bytes for all libraries opened late; this takes 24.

use crate::base::addr::Addr;
use core::arch::{asm, global_asm};

global_asm!(
    ".pushsection .tbss.gleaner, \"awT\", @nobits",
    ".balign 16",
    ".globl gleaner_tls_record",
    ".hidden gleaner_tls_record",
    ".type gleaner_tls_record, @object",
    ".size gleaner_tls_record, 8",
    "gleaner_tls_record:",
    ".zero 8",
    ".globl gleaner_tls_ranks",
    ".hidden gleaner_tls_ranks",
    ".type gleaner_tls_ranks, @object",
    ".size gleaner_tls_ranks, 8",
    "gleaner_tls_ranks:",
    ".zero 8",
    ".globl gleaner_tls_hidden",
    ".hidden gleaner_tls_hidden",
    ".type gleaner_tls_hidden, @object",
    ".size gleaner_tls_hidden, 8",
    "gleaner_tls_hidden:",
    ".zero 8",
    ".popsection",
);

/// This thread's record, or null when it has none yet.
#[inline(always)]
pub fn record<T>() -> *mut T {
    let record: *mut T;
    // SAFETY: reads a word of this thread's own static TLS block.
    unsafe {
        asm!(
            "mov {r}, qword ptr [rip + gleaner_tls_record@GOTTPOFF]",
            "mov {r}, qword ptr fs:[{r}]",
            r = out(reg) record,
            options(nostack, preserves_flags, readonly),
        );
    }
    record
}

/// Sets this thread's record.
pub fn set_record<T>(record: *mut T) {
    // SAFETY: writes a word of this thread's own static TLS block.
    unsafe {
        asm!(
            "mov {t}, qword ptr [rip + gleaner_tls_record@GOTTPOFF]",
            "mov qword ptr fs:[{t}], {r}",
            r = in(reg) record,
            t = out(reg) _,
            options(nostack, preserves_flags),
        );
    }
}

/// The ranks of the locks this thread holds, a bit each. Only debug builds keep it.
pub fn ranks() -> u64 {
    let ranks: u64;
    // SAFETY: reads a word of this thread's own static TLS block.
    unsafe {
        asm!(
            "mov {r}, qword ptr [rip + gleaner_tls_ranks@GOTTPOFF]",
            "mov {r}, qword ptr fs:[{r}]",
            r = out(reg) ranks,
            options(nostack, preserves_flags, readonly),
        );
    }
    ranks
}

/// Sets the ranks of the locks this thread holds.
pub fn set_ranks(ranks: u64) {
    // SAFETY: writes a word of this thread's own static TLS block.
    unsafe {
        asm!(
            "mov {t}, qword ptr [rip + gleaner_tls_ranks@GOTTPOFF]",
            "mov qword ptr fs:[{t}], {r}",
            r = in(reg) ranks,
            t = out(reg) _,
            options(nostack, preserves_flags),
        );
    }
}

/// This thread's record while it is in a safe region of the program's, where [`record`] is null; else null.
#[inline(always)]
pub fn hidden_record<T>() -> *mut T {
    let record: *mut T;
    // SAFETY: reads a word of this thread's own static TLS block.
    unsafe {
        asm!(
            "mov {r}, qword ptr [rip + gleaner_tls_hidden@GOTTPOFF]",
            "mov {r}, qword ptr fs:[{r}]",
            r = out(reg) record,
            options(nostack, preserves_flags, readonly),
        );
    }
    record
}

/// Sets what [`hidden_record`] gives.
pub fn set_hidden_record<T>(record: *mut T) {
    // SAFETY: writes a word of this thread's own static TLS block.
    unsafe {
        asm!(
            "mov {t}, qword ptr [rip + gleaner_tls_hidden@GOTTPOFF]",
            "mov qword ptr fs:[{t}], {r}",
            r = in(reg) record,
            t = out(reg) _,
            options(nostack, preserves_flags),
        );
    }
}

/// The thread pointer: the address of this thread's control block, which holds itself in its first word.
#[inline]
pub fn thread_pointer() -> Addr {
    let tp: usize;
    // SAFETY: the x86-64 TLS ABI puts the thread pointer at fs:0.
    unsafe { asm!("mov {}, qword ptr fs:[0]", out(reg) tp, options(nostack, preserves_flags, readonly, pure)) };
    Addr::new(tp)
}
