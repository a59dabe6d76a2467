//! A call of the C library's that waits, as a safe region.
//!
//! [`in_region`] stands between the program and the function. It spills the registers, opens a region, calls, and ends the
//! region. While there is one thread only it stands aside. It is assembly because a thread may be
//! cancelled at any instruction inside, asynchronously too, and a signal handler may jump or throw out of it: one frame
//! with exact unwinding information, whose personality routine ends the region. It does what [`gleaner::heap::region`] does, and
//! differs in three points:
//!
//! - The state is *in call*, because the program has promised nothing: a handler of its own may run meanwhile and use
//!   objects without allocating any. See `collect::world` on who trusts that state when.
//! - No region is opened where the record may not be this thread's alone: in a `vfork` child or a thread of a raw `clone`,
//!   who share the thread pointer with another thread ([`region::SUSPENDED`]). Whoever stands on another stack than the
//!   record's is a coroutine of its thread if the kernel says so. Nor is one opened inside a slow path that a handler has
//!   interrupted, nor inside another region.
//! - Nor is one opened where the next function of the name is not the C library's but that of a library between us and it,
//!   which may do anything.
//!
//! What the kernel writes for the call into memory of the program's, on the heap or the stack, is written by nobody else
//! meanwhile, and read whole afterwards: an address that arrives that way was known elsewhere before, or was hidden. The
//! memory is there as long as the call, even if the program never looks at it again: the arguments are kept in the frame.
//!
//! Holds: a function that is called in a region maps, unmaps and allocates nothing, and runs no code of the program's but
//! signal handlers.

use core::{
    arch::naked_asm,
    ffi::{CStr, c_int, c_void},
    mem::offset_of,
};
use gleaner::{
    base::sync::{AtomicBool, AtomicPtr, Ordering},
    heap::{gate, mutator::Mutator, region},
    os::{dl, thread},
};
use gleaner_abi::{exports::errno, unwind};

/// A function of the C library's, under a name. Relaxed throughout: the address of code, the same whoever finds it.
#[repr(C)]
pub struct Original {
    function: AtomicPtr<c_void>,
    /// Whether it is another library's.
    is_foreign: AtomicBool,
    name: &'static CStr,
}

impl Original {
    /// One that is not looked up yet.
    pub const fn new(name: &'static CStr) -> Original {
        Original { function: AtomicPtr::new(core::ptr::null_mut()), is_foreign: AtomicBool::new(false), name }
    }

    /// The name.
    pub fn name(&self) -> &'static CStr {
        self.name
    }

    /// Looks it up at the first call.
    pub extern "C" fn find(&self) -> *mut c_void {
        if self.function.load(Ordering::Relaxed).is_null() {
            let found = dl::next_newest(self.name);
            let function = if found.is_null() { missing as *mut c_void } else { found };
            self.is_foreign.store(!dl::is_c_librarys(function), Ordering::Relaxed);
            // Release: who has the function knows whose it is. The assembly's loads are in order.
            self.function.store(function, Ordering::Release);
        }
        self.function.load(Ordering::Relaxed)
    }
}

/// What an older C library says in place of a function that it does not have.
extern "C" fn missing() -> isize {
    refuse(errno::ENOSYS)
}

/// Sets `errno`, and gives what a call gives then.
pub extern "C" fn refuse(error: c_int) -> isize {
    errno::set(error);
    -1
}

/// Text of a naked function: pushes the registers that pass arguments, and `rax`.
macro_rules! save_arguments {
    () => {
        concat!(
            "push rdi\n.cfi_adjust_cfa_offset 8\n",
            "push rsi\n.cfi_adjust_cfa_offset 8\n",
            "push rdx\n.cfi_adjust_cfa_offset 8\n",
            "push rcx\n.cfi_adjust_cfa_offset 8\n",
            "push r8\n.cfi_adjust_cfa_offset 8\n",
            "push r9\n.cfi_adjust_cfa_offset 8\n",
            "push rax\n.cfi_adjust_cfa_offset 8",
        )
    };
}

/// Text of a naked function: pops what `save_arguments` has pushed.
macro_rules! restore_arguments {
    () => {
        concat!(
            "pop rax\n.cfi_adjust_cfa_offset -8\n",
            "pop r9\n.cfi_adjust_cfa_offset -8\n",
            "pop r8\n.cfi_adjust_cfa_offset -8\n",
            "pop rcx\n.cfi_adjust_cfa_offset -8\n",
            "pop rdx\n.cfi_adjust_cfa_offset -8\n",
            "pop rsi\n.cfi_adjust_cfa_offset -8\n",
            "pop rdi\n.cfi_adjust_cfa_offset -8",
        )
    };
}

/// Calls the [`Original`] that `rax` points to, without a region.
///
/// # Safety
/// As the function that is called.
#[unsafe(naked)]
#[unsafe(link_section = ".text.hot")]
pub unsafe extern "C" fn directly() {
    naked_asm!(
        "mov r11, qword ptr [rax]",
        "test r11, r11",
        // In a region it is looked up, too.
        "jz {in_region}",
        "jmp r11",
        in_region = sym in_region,
    )
}

/// Calls the [`Original`] that `rax` points to, in a region, with up to seven words of arguments as they came.
///
/// # Safety
/// As the function that is called.
#[unsafe(naked)]
#[unsafe(link_section = ".text.hot")]
pub unsafe extern "C" fn in_region() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_personality 0x1b, {personality}",
        "mov r11, qword ptr [rax]",
        "test r11, r11",
        "jz 8f",
        "2:",
        "cmp byte ptr [rax + {is_foreign}], 0",
        "jne 3f",
        "mov r10, qword ptr [rip + gleaner_thread_1@GOTTPOFF]",
        "mov rax, qword ptr fs:[r10]",
        "test rax, rax",
        "jz 3f",
        "cmp dword ptr [rax + {inside}], 0",
        "jne 3f",
        "cmp rsp, qword ptr [rax + {stack_start}]",
        "jb 31f",
        "cmp rsp, qword ptr [rax + {stack_end}]",
        "jae 31f",
        "32:",
        "cmp dword ptr [rip + {suspended}], 0",
        "je 4f",
        "3:",
        "jmp r11",
        // Not looked up yet.
        "8:",
        save_arguments!(),
        "mov rdi, rax",
        "call {find}",
        "mov r11, rax",
        restore_arguments!(),
        "jmp 2b",
        // On another stack.
        "31:",
        "push r10",
        ".cfi_adjust_cfa_offset 8",
        "push r11",
        ".cfi_adjust_cfa_offset 8",
        save_arguments!(),
        "mov rdi, rax",
        "call {is_own}",
        "test al, al",
        restore_arguments!(),
        "pop r11",
        ".cfi_adjust_cfa_offset -8",
        "pop r10",
        ".cfi_adjust_cfa_offset -8",
        "jnz 32b",
        "jmp 3b",
        // The frame. rbx: the record. r12, r13: where its two words of thread-local storage are. r14: the function.
        "4:",
        gleaner::push_frame!(),
        // The arguments, so that what they point to stays. The seventh, if there is one, is passed here.
        "push rdi",
        "push rsi",
        "push rdx",
        "push rcx",
        "push r8",
        "push r9",
        "push qword ptr [rbp + 16]",
        "mov rbx, rax",
        "mov r13, r10",
        "mov r14, r11",
        "mov r12, qword ptr [rip + gleaner_tls_hidden@GOTTPOFF]",
        // As `region::open`. A handler comes before or after the exchange, which needs no lock against it.
        "30:",
        "mov r15d, dword ptr [rip + {phase}]",
        "mov dword ptr [rbx + {region}], {opening}",
        "mov qword ptr fs:[r12], rbx",
        "mov qword ptr fs:[r13], 0",
        "mov qword ptr [rbx + {region_sp}], rsp",
        "mov qword ptr [rbx + {region_frame}], rbp",
        "mov eax, {opening}",
        "mov r10d, {in_call}",
        "cmpxchg dword ptr [rbx + {region}], r10d",
        "jne 5f",
        "cmp byte ptr [rip + {fence_needed}], 0",
        "jne 6f",
        "33:",
        "test r15d, 1",
        "jnz 7f",
        "cmp dword ptr [rip + {phase}], r15d",
        "jne 7f",
        "9:",
        "call r14",
        // As `region::leave`.
        "cmp qword ptr fs:[r12], 0",
        "je 20f",
        "mov dword ptr [rbx + {region}], {leaving}",
        "cmp byte ptr [rip + {fence_needed}], 0",
        "jne 21f",
        "22:",
        "cmp dword ptr [rip + {stopping}], 0",
        "jne 23f",
        "mov dword ptr [rbx + {region}], 0",
        "mov qword ptr fs:[r13], rbx",
        "mov qword ptr fs:[r12], 0",
        "20:",
        ".cfi_remember_state",
        gleaner::pop_frame!(),
        "ret",
        ".cfi_restore_state",
        // A handler used the heap since the record was hidden: no region.
        "5:",
        "mov qword ptr fs:[r13], rbx",
        "mov qword ptr fs:[r12], 0",
        "jmp 9b",
        "6:",
        "mfence",
        "jmp 33b",
        "7:",
        "mov rdi, rbx",
        "call {outlast_stop}",
        "test al, al",
        "mov rdi, qword ptr [rbp - 48]",
        "mov rsi, qword ptr [rbp - 56]",
        "mov rdx, qword ptr [rbp - 64]",
        "mov rcx, qword ptr [rbp - 72]",
        "mov r8, qword ptr [rbp - 80]",
        "mov r9, qword ptr [rbp - 88]",
        "jnz 9b",
        // A handler has ended it.
        "jmp 30b",
        "21:",
        "mfence",
        "jmp 22b",
        "23:",
        "mov r15, rax",
        "mov rdi, rbx",
        "call {leave_when_open}",
        "mov rax, r15",
        "jmp 20b",
        ".cfi_endproc",
        personality = sym personality,
        inside = const offset_of!(Mutator, inside),
        stack_start = const offset_of!(Mutator, stack_start),
        stack_end = const offset_of!(Mutator, stack_end),
        region = const offset_of!(Mutator, region),
        region_sp = const offset_of!(Mutator, region_sp),
        region_frame = const offset_of!(Mutator, region_frame),
        opening = const gate::OPENING_REGION,
        in_call = const gate::IN_CALL,
        leaving = const gate::LEAVING_REGION,
        is_foreign = const offset_of!(Original, is_foreign),
        suspended = sym region::SUSPENDED,
        fence_needed = sym thread::FENCE_NEEDED,
        stopping = sym gate::STOPPING,
        phase = sym gate::PHASE,
        outlast_stop = sym region::outlast_stop,
        leave_when_open = sym region::leave_when_open,
        find = sym Original::find,
        is_own = sym is_own,
    )
}

/// Whether the record that the caller's thread pointer leads to is the caller's.
extern "C" fn is_own(mutator: &Mutator) -> bool {
    mutator.tid.load(Ordering::Relaxed) == thread::id()
}

/// Ends the region when the call is left by unwinding: a cancellation, or an exception of a handler's.
extern "C" fn personality(_: c_int, actions: c_int, _: u64, _: *mut c_void, _: *mut c_void) -> c_int {
    unwind::pass(actions, || {
        region::leave();
    })
}
