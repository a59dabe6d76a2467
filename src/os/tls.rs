//! Thread-local storage of the initial-exec model.
//!
//! A `thread_local!` of a shared library is a call of `__tls_get_addr`, which may itself call `malloc`. These three words
//! lie at a fixed distance from the thread pointer instead: reading one is two instructions, and cannot fail. They
//! start as zero in every thread. glibc keeps a few hundred bytes for all libraries opened late; this takes 24.

use crate::base::addr::Addr;
use core::arch::{asm, global_asm};

/// Makes a word of thread-local storage: a function that reads it, and one that writes it.
macro_rules! word {
    ($(#[$doc:meta])* $name:literal: $type:ty, $get:ident $set:ident $(<$t:ident>)?) => {
        global_asm!(
            ".pushsection .tbss.gleaner, \"awT\", @nobits",
            ".balign 8",
            concat!(".globl ", $name),
            concat!(".hidden ", $name),
            concat!(".type ", $name, ", @object"),
            concat!(".size ", $name, ", 8"),
            concat!($name, ":"),
            ".zero 8",
            ".popsection",
        );

        $(#[$doc])*
        #[inline(always)]
        pub fn $get$(<$t>)?() -> $type {
            let word: $type;
            // SAFETY: reads a word of this thread's own static TLS block.
            unsafe {
                asm!(
                    concat!("mov {w}, qword ptr [rip + ", $name, "@GOTTPOFF]"),
                    "mov {w}, qword ptr fs:[{w}]",
                    w = out(reg) word,
                    options(nostack, preserves_flags, readonly),
                );
            }
            word
        }

        #[doc = concat!("Sets what [`", stringify!($get), "`] gives.")]
        pub fn $set$(<$t>)?(word: $type) {
            // SAFETY: writes a word of this thread's own static TLS block.
            unsafe {
                asm!(
                    concat!("mov {t}, qword ptr [rip + ", $name, "@GOTTPOFF]"),
                    "mov qword ptr fs:[{t}], {w}",
                    w = in(reg) word,
                    t = out(reg) _,
                    options(nostack, preserves_flags),
                );
            }
        }
    };
}

word! {
    /// This thread's record, or null when it has none yet.
    "gleaner_tls_record": *mut T, record set_record<T>
}
word! {
    /// The ranks of the locks this thread holds, a bit each. Only debug builds keep it.
    "gleaner_tls_ranks": u64, ranks set_ranks
}
word! {
    /// This thread's record while it is in a safe region of the program's, where [`record`] is null; else null.
    "gleaner_tls_hidden": *mut T, hidden_record set_hidden_record<T>
}

/// The thread pointer: the address of this thread's control block, which holds itself in its first word.
#[inline]
pub fn thread_pointer() -> Addr {
    let tp: usize;
    // SAFETY: the x86-64 TLS ABI puts the thread pointer at fs:0.
    unsafe { asm!("mov {}, qword ptr fs:[0]", out(reg) tp, options(nostack, preserves_flags, readonly, pure)) };
    Addr::new(tp)
}
