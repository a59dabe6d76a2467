//! Jumps out of a safe region: `longjmp` and its kin, which go on to the C library's.
//!
//! A thread that jumps out of `gc_blocking` has to count as running before it runs on, and may have to wait for that
//! while a collection runs. So the region is ended before the jump; a jump that stays inside keeps it. Where no region is
//! open, the functions cost one test more than the C library's own.
//!
//! They are not seen by a program that reaches the C library past them: by assembly of its own, or because this library
//! was opened by `dlopen`. In a program without shared libraries they are all there is, and jump by themselves.

use crate::engine;
use core::ffi::{CStr, c_void};
use gleaner::{
    base::{
        addr::Addr,
        sync::{AtomicPtr, Ordering},
    },
    heap::{gate, region},
    os::{dl, jump, thread},
};

/// The C library's function under a name. Relaxed throughout: the address of code, the same whoever finds it.
struct Jump {
    name: &'static CStr,
    /// Where a jump goes at once when no region is open. Null where the engine is another copy's, which has to be asked.
    function: AtomicPtr<c_void>,
    /// The same function, wherever the engine is.
    found: AtomicPtr<c_void>,
}

impl Jump {
    const fn new(name: &'static CStr) -> Jump {
        Jump { name, function: AtomicPtr::new(core::ptr::null_mut()), found: AtomicPtr::new(core::ptr::null_mut()) }
    }

    fn find(&self) -> *mut c_void {
        let known = self.found.load(Ordering::Relaxed);
        if !known.is_null() {
            return known;
        }
        let function = match dl::next(self.name) {
            found if found.is_null() => jump::jump as *mut c_void,
            found => found,
        };
        self.found.store(function, Ordering::Relaxed);
        function
    }

    /// The engine is here: from now on a jump goes there at once.
    fn find_for_good(&self) -> *mut c_void {
        let function = self.find();
        self.function.store(function, Ordering::Relaxed);
        function
    }
}

/// Looks the C library's functions up, while one thread runs or few.
pub fn find_originals() {
    jump::note_layout();
    for jump in [&LONGJMP, &UNDERSCORE_LONGJMP, &SIGLONGJMP, &LONGJMP_CHK] {
        jump.find_for_good();
    }
}

/// Ends the region that a jump from `here` to `buffer` leaves, and gives the function that jumps.
///
/// # Safety
/// `buffer` is the first argument of the function that `jump` stands for.
unsafe extern "C" fn before_jump(jump: &Jump, buffer: *const usize, here: usize) -> *mut c_void {
    if let Some(engine) = engine::elsewhere() {
        // SAFETY: by the caller's promise.
        unsafe { (engine.leave_region)(buffer, here) };
        return jump.find();
    }
    // SAFETY: by the caller's promise.
    unsafe { leave_region(buffer, here) };
    jump.find_for_good()
}

/// Ends the region that a jump from the stack pointer `here` to `buffer` leaves.
///
/// # Safety
/// `buffer` is the first argument of a function that jumps.
pub(crate) unsafe extern "C" fn leave_region(buffer: *const usize, here: usize) {
    if gate::is_closed_by(thread::id()) {
        gleaner::fatal!("trace procedure: jumped away while it marked; it may do nothing but return");
    }
    // SAFETY: by the caller's promise. A target that is not known counts as outside.
    let target = unsafe { jump::target(buffer) }.unwrap_or(Addr::new(usize::MAX));
    if region::is_left_by(Addr::new(here), target) {
        region::leave();
    }
}

/// Exports `name`: a jump to the C library's function, with all arguments as they came, after [`before_jump`] where a
/// region is open.
macro_rules! jump {
    ($name:ident, $static:ident, $text:literal) => {
        static $static: Jump = Jump::new($text);

        /// As the C library's function of that name; see the module's documentation.
        ///
        /// # Safety
        /// As the C library's.
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        pub unsafe extern "C" fn $name() {
            core::arch::naked_asm!(
                ".cfi_startproc",
                "mov rax, qword ptr [rip + gleaner_tls_hidden@GOTTPOFF]",
                "cmp qword ptr fs:[rax], 0",
                "jne 2f",
                "mov rax, qword ptr [rip + {jump} + {function}]",
                "test rax, rax",
                "je 2f",
                "jmp rax",
                "2:",
                "push rdi",
                ".cfi_adjust_cfa_offset 8",
                "push rsi",
                ".cfi_adjust_cfa_offset 8",
                "sub rsp, 8",
                ".cfi_adjust_cfa_offset 8",
                "mov rsi, rdi",
                "lea rdi, [rip + {jump}]",
                "lea rdx, [rsp + 24]",
                "call {before}",
                "add rsp, 8",
                ".cfi_adjust_cfa_offset -8",
                "pop rsi",
                ".cfi_adjust_cfa_offset -8",
                "pop rdi",
                ".cfi_adjust_cfa_offset -8",
                "jmp rax",
                ".cfi_endproc",
                jump = sym $static,
                function = const core::mem::offset_of!(Jump, function),
                before = sym before_jump,
            )
        }
    };
}

jump!(longjmp, LONGJMP, c"longjmp");
jump!(_longjmp, UNDERSCORE_LONGJMP, c"_longjmp");
jump!(siglongjmp, SIGLONGJMP, c"siglongjmp");
jump!(__longjmp_chk, LONGJMP_CHK, c"__longjmp_chk");
