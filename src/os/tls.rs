//! Thread-local storage of the initial-exec model.
//!
//! A `thread_local!` of a shared library is a call of `__tls_get_addr`, which may itself call `malloc`. These three words
//! lie at a fixed distance from the thread pointer instead: reading one is two instructions, and cannot fail. They
//! start as zero in every thread. glibc keeps a few hundred bytes for all libraries opened late; this takes 24.

use crate::base::{addr::Addr, sync::AtomicUsize};
use core::arch::{asm, global_asm};

/// This thread's record, or null when it has none yet or the record is hidden: what [`record`] gives. The libraries export
/// it for `gleaner_inline.h`; the number is the layout of what it points to.
///
/// The name of its section makes it thread-local, one word for each thread: it is named here for the linker's sake alone,
/// and reached by the functions below.
#[allow(non_upper_case_globals, reason = "a name for C")]
#[unsafe(no_mangle)]
#[unsafe(link_section = ".tbss.gleaner_thread")]
pub static gleaner_thread_1: AtomicUsize = AtomicUsize::new(0);

// Exported, and bound to this copy's own: another copy may be first in the loader's order.
global_asm!(".protected gleaner_thread_1");

/// Makes a hidden word of thread-local storage, and its [`accessors`].
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
        accessors!($(#[$doc])* $name: $type, $get $set $(<$t>)?);
    };
}

/// Makes a function that reads a word of thread-local storage, and one that writes it.
macro_rules! accessors {
    ($(#[$doc:meta])* $name:literal: $type:ty, $get:ident $set:ident $(<$t:ident>)?) => {
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

accessors! {
    /// This thread's record, or null when it has none yet.
    "gleaner_thread_1": *mut T, record set_record<T>
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
